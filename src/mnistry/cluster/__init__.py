"""Beyond one machine, on Ray: millions of pictures read, sweeps of many runs. Without Ray the same on one."""
