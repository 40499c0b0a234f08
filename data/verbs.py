"""
The verbs of the command line: how each is registered, and the options they share.

This module is all that ``leadscore --help`` and shell completion need, so it imports nothing but typer; what runs a
verb is imported when a verb runs.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.verb_options import ExportsFolder, Json, PlaybookFolder

if TYPE_CHECKING:
    from data.command_line import VerbResult

_SHARED = {"playbook": PlaybookFolder, "exports": ExportsFolder, "as_json": Json}

Verb = Callable[..., "VerbResult | None"]


def command_line(about: str) -> typer.Typer:
    """
    Return a command line without verbs yet, which takes the shared options before a verb.

    Args:
        about: its description in the help.
    """
    app = typer.Typer(
        help=about,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_take_shared_options)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - takes a tenth of the time of --help

        typer.echo(f"leadscore {version('leadscore')}")
        raise typer.Exit


def _take_shared_options(
    playbook: PlaybookFolder = None,
    exports: ExportsFolder = None,
    as_json: Json = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a verb; the verb looks them up here."""


def verb(app: typer.Typer, panel: str, *, name: str | None = None, exports: bool = False) -> Callable[[Verb], Verb]:
    """
    Register a function as a verb, with the shared options after its own.

    Args:
        app: the command line, or a group of it.
        panel: the heading of the help under which the verb stands: who uses it.
        name: of the verb; default: the function's.
        exports: whether the verb reads the exports, and so takes ``--exports``.

    Returns:
        A decorator that leaves the function as it is. The function takes a `data.command_line.Context` and the
        verb's own options, and returns what to print.
    """
    shared = {key: kind for key, kind in _SHARED.items() if exports or key != "exports"}

    def register(function: Verb) -> Verb:
        own = list(inspect.signature(function).parameters.values())[1:]

        @wraps(function)
        def run(context: typer.Context, **values: Any) -> None:
            from data.command_line import SharedOptions, run_verb  # noqa: PLC0415 - the help of a verb does not run it

            for key in shared:
                del values[key]  # read from both places where they may stand
            given = {key: tuple(_given(context, key)) for key in _SHARED}
            chosen = SharedOptions(**given, takes_exports=exports)
            run_verb(chosen, lambda verb_context: function(verb_context, **values))

        _take(run, [_parameter("context", typer.Context), *own, *(_parameter(*item) for item in shared.items())])
        app.command(name, rich_help_panel=panel)(run)
        return function

    return register


def _parameter(name: str, kind: Any) -> inspect.Parameter:
    default = {"context": inspect.Parameter.empty, "as_json": False}.get(name)
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)


def _take(function: Any, parameters: list[inspect.Parameter]) -> None:
    """Make a function look to typer as if it had been written with these parameters."""
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    function.__signature__ = inspect.Signature(keyword, return_annotation=None)
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _given(context: typer.Context, name: str) -> Iterator[Any]:
    """
    Yield the values of a shared option, the strongest first.

    Those typed before or after the verb come first; what the environment says counts where none was typed.
    """
    levels = [level for level in _levels(context) if level.params.get(name)]
    typed = [level.params[name] for level in levels if _source(level, name) == "COMMANDLINE"]
    yield from typed or [level.params[name] for level in levels]


def _levels(context: typer.Context) -> Iterator[typer.Context]:
    level: Any = context
    while level is not None:
        yield level
        level = level.parent


def _source(context: typer.Context, name: str) -> str:
    source = context.get_parameter_source(name)
    return "" if source is None else source.name
