"""Pixels in bounded memory. The only package that imports pyvips; knows no settings, orders or databases."""
