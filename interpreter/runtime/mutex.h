/* A mutex, or nothing where there are no threads (WebAssembly without them). */
#ifndef SAM_RUNTIME_MUTEX_H
#define SAM_RUNTIME_MUTEX_H

#if defined(__wasm__) && !defined(_REENTRANT)
#define SAM_THREADS 0
typedef char sam_mutex;
static inline void sam_mutex_init(sam_mutex *mutex) { *mutex = 0; }
static inline void sam_mutex_destroy(sam_mutex *mutex) { (void)mutex; }
static inline void sam_mutex_lock(sam_mutex *mutex) { (void)mutex; }
static inline void sam_mutex_unlock(sam_mutex *mutex) { (void)mutex; }
#else
#define SAM_THREADS 1
#include <pthread.h>

typedef pthread_mutex_t sam_mutex;
static inline void sam_mutex_init(sam_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
static inline void sam_mutex_destroy(sam_mutex *mutex) { pthread_mutex_destroy(mutex); }
static inline void sam_mutex_lock(sam_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void sam_mutex_unlock(sam_mutex *mutex) { pthread_mutex_unlock(mutex); }
#endif

#endif
