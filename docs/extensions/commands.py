"""Pages of the commands, from click itself: what ``--help`` says, with a link to each option."""

import inspect
from pathlib import Path

import click
from docutils import nodes
from docutils.parsers.rst import Directive


class CommandDirective(Directive):
    """``{command} generate``: usage, text, options and examples; of a group, of each in it."""

    required_arguments = 1

    def run(self):
        """Return the nodes."""
        from musim.cli.main import musim

        above = click.Context(musim, info_name="musim")
        name = self.arguments[0]
        return self._command(musim.get_command(above, name), name, above)

    def _command(self, command, name, above):
        context = click.Context(command, info_name=name, parent=above, max_content_width=100)
        found = [_literal(context.get_usage().removeprefix("Usage: "), "text")]
        found += _paragraphs(inspect.cleandoc(command.help or ""))
        found += self._options(command, context)
        found += _examples(command.epilog)
        if isinstance(command, click.Group):
            for one in command.list_commands(context):
                section = nodes.section(ids=[f"{name}-{one}"])
                section += nodes.title(text=f"musim {name} {one}")
                section += self._command(command.get_command(context, one), one, context)
                found.append(section)
        return found

    def _options(self, command, context):
        path = "-".join(context.command_path.split()[1:])
        lists = {}
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                title = getattr(parameter, "section", "Options")
                lists.setdefault(title, nodes.definition_list(classes=["options"]))
                term = nodes.term("", "", nodes.literal(text=record[0]))
                term["ids"].append(f"{path}-{max(parameter.opts, key=len).lstrip('-')}".lower())
                text = nodes.definition("", nodes.paragraph(text=record[1]))
                lists[title] += nodes.definition_list_item("", term, text)
        return [one for title, made in lists.items() for one in (nodes.rubric(text=title), made)]


def _paragraphs(text):
    return [nodes.paragraph(text=" ".join(one.split())) for one in text.split("\n\n") if one]


def _examples(epilog):
    lines = inspect.cleandoc((epilog or "").replace("\b", "")).splitlines()
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        return []
    title, *lines = lines if len(lines) > 1 else lines[0].split(": ", 1)
    return [nodes.rubric(text=title.rstrip(":")), _literal("\n".join(lines), "sh")]


def _literal(text, language):
    return nodes.literal_block(text, text, language=language)


def write(app):
    """Write a page for each command to ``auto/commands``, and the list of them."""
    from musim.cli.main import COMMANDS

    place = Path(app.srcdir) / "auto" / "commands"
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.md"):
        if old.stem not in COMMANDS:
            old.unlink()
    for name, summary in COMMANDS.items():
        page = f"# musim {name}\n\n{summary}\n\n```{{command}} {name}\n```\n"
        file = place / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != page:
            file.write_text(page, encoding="utf-8")


def setup(app):
    """Write pages before they are read, and fill them."""
    app.connect("builder-inited", write)
    app.add_directive("command", CommandDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
