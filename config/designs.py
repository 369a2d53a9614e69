"""Artwork in the pipeline file: where it is looked up, and how much it may ask of the machine."""

from typing import Annotated

from pydantic import Field

from config.basis import Amount, Model, Text


class Designs(Model):
    """Where relative design names are looked up, and how much an artwork may ask of the machine.

    `root` is a folder, or the URL of one. `urls` are beginnings of URLs that an order line may name besides;
    `private_hosts` may have addresses of a private network, and no other host may.
    """

    root: Text = "."
    urls: Annotated[tuple[Text, ...], Field(strict=False)] = ("https://",)
    private_hosts: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    allow_svg: bool = False
    max_pixels: Annotated[int, Field(gt=0)] = 500_000_000
    max_bytes: Amount = "2GB"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
