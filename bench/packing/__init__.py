"""The packing beside rectpack: bins and strips of the literature, and a night of stickers on rolls."""
