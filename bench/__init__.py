"""The benchmark: tilepress beside its peers, in the same run, on the same work; time, memory and file size.

Knows tilepress by its command line and its manifest, as its users do. `bench.peers` are other ways to do the same work.
"""
