"""Optional compiled kernels (C++), each with the plain JAX that it must equal.

They are built with the wheel where there is a compiler, and only make training on a CPU faster. `blanks.cpp`,
`lstm.cpp`, `random.cpp`, `convolutions.cpp` and `normalized.cpp` (`patches.h` and `winograd.h`) hold them,
`handlers.cpp` what XLA calls; `library.py` finds what was built, and chooses the instruction set.
"""
