"""Photographs of products, rendered: the embedded example's mock-up templates. See `bench.products.__main__`.

A small path tracer and what it looks at. Knows of templates only how their YAML is written.
"""
