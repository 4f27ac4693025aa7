"""PyYAML's syntax errors in plain words."""

from __future__ import annotations

import yaml

_QUOTE = "text with `: `, ` #` or a special first character needs quotes"
_INDENT = "keys that belong together begin in the same column; every key is followed by `: `"

# Words in PyYAML's "context: problem" (of its C or its Python reader), our message, our hint; the first match counts.
_EXPLANATIONS = (
    ("mapping values are not allowed", "`: ` cannot stand here", f"{_QUOTE}; or the line is indented too far"),
    ("quoted scalar: found unexpected end", "the quotes opened here are never closed", "add the closing quote"),
    (
        "unknown escape character",
        "a backslash in double quotes begins an escape, and this one is unknown",
        "use 'single quotes', or write the backslash twice",
    ),
    ("could not find expected ':'", "this line has no `: ` after its key", _INDENT),
    ("flow node", "a value is missing here, or a bracket is never closed", "check the commas and the closing brackets"),
    ("parsing a flow sequence", "in this list `,` or `]` is missing", "check the commas and the closing `]`"),
    ("parsing a flow mapping", "in this mapping `,` or `}` is missing", "check the commas and the closing `}`"),
    ("scanning an alias", "`*` begins a YAML alias", 'a pattern such as `"*_id"` needs quotes'),
    ("scanning an anchor", "`&` begins a YAML anchor", "text that begins with `&` needs quotes"),
    ("tag", "`!` begins a YAML tag, and a config has none", "text that begins with `!` needs quotes"),
    ("block scalar", "`>` or `|` begins a block of text", 'text such as `">50K"` needs quotes'),
    ("cannot start any token", "this character cannot begin a value", _QUOTE),
    ("sequence entries are not allowed", "a list item `- ` cannot stand here", "begin the list on its own line"),
    ("block collection", "a list item `- ` is expected here", "begin every line of a list with `- ` in one column"),
    ("block sequence", "a list item `- ` is expected here", "begin every line of a list with `- ` in one column"),
    ("block mapping", "this line does not continue the lines above", _INDENT),
    ("directive", "a line that begins with `%` is a YAML directive, and a config has none", _QUOTE),
)

_SHOWN_AT_BEGIN = ("expected ':'", "scanning an alias", "scanning an anchor", "scanning a block scalar", "a directive")


def explain_syntax_error(err: yaml.MarkedYAMLError, lines: list[str]) -> tuple[str, tuple[int, int], tuple[str, ...]]:
    """Message, place (line and column from 0) and hints of a syntax error in the text of these lines."""
    line, column = _place(err, lines)
    text = lines[line] if line < len(lines) else ""
    indentation = text[: len(text) - len(text.lstrip())]
    if "\t" in indentation:
        return "this line is indented with a tab", (line, indentation.index("\t")), ("YAML is indented with spaces",)
    said = f"{err.context}: {err.problem}"
    for words, message, hint in _EXPLANATIONS:
        if words in said:
            return message, (line, column), (hint,)
    return f"this is not YAML: {err.problem}", (line, column), (_QUOTE,)


def _place(err: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, int]:
    """Where the mistake is seen; what is missing at the end is shown where it began."""
    problem, context = err.problem_mark, err.context_mark
    if problem is None:
        return (context.line, context.column) if context is not None else (0, 0)
    past_text = not "".join(lines[problem.line :]).strip()
    begun = f"{err.context}: {err.problem}"
    if context is not None and (past_text or any(words in begun for words in _SHOWN_AT_BEGIN)):
        problem = context
    line, column = problem.line, problem.column
    if line < len(lines) and lines[line].strip():
        return line, column
    last = max((n for n, text in enumerate(lines[:line]) if text.strip() and text.lstrip()[0] != "#"), default=0)
    return last, max(0, len(lines[last].rstrip()) - 1)
