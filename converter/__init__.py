"""Model in, flatbuffer out: the converter of Samara (pure Python)."""
