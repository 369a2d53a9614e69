"""Files that a pattern of the pipeline file matches, below the folder that the job looks into."""

from pathlib import Path, PurePosixPath

from config.errors import ConfigurationError
from pipeline.library import Library


def matching(pattern: str, library: Library, place: Path, key: str, instead: str) -> list[str]:
    """Return the names of files that a pattern matches below the library's root, sorted; those at `place` are left out.

    `key` is what messages call the setting around the pattern; `instead` is what to do where there is no folder to be
    listed. Raises ConfigurationError if no file matches, or one lies where the job writes to.
    """
    root = library.root
    if not isinstance(root, Path):
        raise ConfigurationError(f"{root}: {key}.glob needs a folder of this machine", instead)
    library.check()
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise ConfigurationError(f"{key}.glob: {pattern} leads out of {key}.root", f"Set {key}.root instead.")
    try:
        found = [path for path in root.glob(pattern) if path.is_file() and not path.name.startswith(".")]
    except (ValueError, IndexError, NotImplementedError, OSError) as error:
        raise ConfigurationError(f"{key}.glob: {pattern} is no pattern: {error}", f"Write {key}/*, or **/*.") from None
    if any(path.absolute().parent == place for path in found):
        raise ConfigurationError(
            f"output.to is a folder of {key}: {place}", "Results could overwrite them: name another folder."
        )
    names = sorted(path.relative_to(root).as_posix() for path in found if not path.absolute().is_relative_to(place))
    if not names:
        raise ConfigurationError(
            f"{library.root_name}: no file matches {pattern}", f"Check {key}.glob, which counts from {key}.root."
        )
    return names
