"""What the doctor says where no machine of ours shows it."""

from pipeline.doctor import describe_deflater
from tiles.sinks.deflate import CANDIDATES, choose_deflater


def test_a_library_that_deflates_is_named_with_the_faster_ones_that_are_missing() -> None:
    said = [describe_deflater(choose_deflater([candidate])) for candidate in CANDIDATES]
    assert said == [
        "isal, level 1",
        "zlib-ng, level 2; isal is faster, and not installed",
        "zlib, level 1; isal or zlib-ng is faster, and not installed",
    ]
