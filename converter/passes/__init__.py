"""What the optimizer does, one file per verb. A pass is a module with RULES (see rewrite.py) or `run(model)`, which
answers how many changes it made. Every pass obeys three laws, tested for all of them on every model: a second run
changes nothing, the graph stays well-formed, and the results stay the same numbers.
"""
