"""The analysers by their kinds. Modules are imported when they are needed."""

from config import sections
from pipeline.sections.analysis import Analyzer


def open_analyzer(settings: sections.LocalAnalyzer | sections.GeminiAnalyzer | sections.NoAnalyzer) -> Analyzer:
    """Return the analyser that the settings name; ConfigurationError if what it needs is not installed."""
    match settings:
        case sections.GeminiAnalyzer():
            from pipeline.sections.gemini import Gemini  # noqa: PLC0415 - with packages that few runs need

            return Gemini.from_settings(settings)
        case sections.NoAnalyzer():
            from pipeline.sections.local import NoAnalyzer  # noqa: PLC0415 - as above

            return NoAnalyzer()
        case _:
            from pipeline.sections.local import LocalAnalyzer  # noqa: PLC0415 - as above

            return LocalAnalyzer()
