"""What the server imports that children are forked off which work on artwork: all that they need."""

import tiles.children
import tiles.photo
import tiles.prepare  # noqa: F401 - for the children
