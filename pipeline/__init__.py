"""One run: orders, sources, packing, printing, proof. Knows settings and pixels' places, not how pixels are made."""
