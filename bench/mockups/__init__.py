"""Mock-ups beside OpenCV: the same artwork on the same photographs; limits of memory, and a whole catalogue."""
