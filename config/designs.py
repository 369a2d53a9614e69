"""Files from elsewhere in the pipeline file: where they are looked up, and how much they may ask of the machine."""

from typing import Annotated

from pydantic import Field

from config.basis import Amount, Model, Text


class Sources(Model):
    """Where relative names are looked up, and how much a file may ask of the machine.

    `root` is a folder, or the URL of one. `urls` are beginnings of URLs that may be named besides; `private_hosts` may
    have addresses of a private network, and no other host may.
    """

    root: Text = "."
    urls: Annotated[tuple[Text, ...], Field(strict=False)] = ("https://",)
    private_hosts: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    max_pixels: Annotated[int, Field(gt=0)] = 500_000_000
    max_bytes: Amount = "2GB"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0

    @property
    def accepts_svg(self) -> bool:
        """Whether SVG is accepted, which is a program of its own."""
        return False


class Designs(Sources):
    """Where artwork is looked up, and how much it may ask of the machine."""

    allow_svg: bool = False

    @property
    def accepts_svg(self) -> bool:
        """Whether SVG is accepted."""
        return self.allow_svg
