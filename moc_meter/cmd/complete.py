# SPDX-License-Identifier: Apache-2.0
"""moc-meter complete: what a shell needs to complete its commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from cliff import command

#: What may follow words of the command line, by those words.
Words = Mapping[str, Sequence[str]]

_BASH = """\
_moc_meter() {{
    local path='' word words
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] && break
        path+="${{path:+ }}$word"
    done
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _moc_meter moc-meter
"""
_ZSH = """\
#compdef moc-meter
_moc_meter() {{
    local line='' word words_
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        [[ $word == -* ]] && break
        line+="${{line:+ }}$word"
    done
    case "$line" in
{cases}
    esac
    compadd -- ${{=words_}} || _files
}}
compdef _moc_meter moc-meter
"""
_FISH = """\
function __moc_meter_line
    set -l words
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and break
        set -a words $word
    end
    string match -qr -- $argv[1] "$words"
end
{cases}
"""
_EXAMPLES = """\
Examples::

    moc-meter complete > ~/.local/share/bash-completion/completions/moc-meter
    moc-meter complete --shell zsh > ~/.zsh/_moc-meter
    moc-meter complete --shell fish > ~/.config/fish/completions/moc-meter.fish
"""


class Complete(command.Command):
    """Print what completes this command in a shell."""

    app: Any

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument('--shell', choices=tuple(SHELLS), default='bash',
                            help='default: %(default)s')
        return parser

    def get_epilog(self) -> str:
        return _EXAMPLES

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        found = {'': _options(self.app.parser)}
        for name, _ in sorted(self.app.command_manager):
            path = name.split()
            for depth, word in enumerate(path):
                under = found.setdefault(' '.join(path[:depth]), [])
                if word not in under:
                    under.append(word)
            made, _, _ = self.app.command(path)
            found.setdefault(name, []).extend(
                _options(self.app.parser_of(made, name)))
        print(SHELLS[parsed_args.shell](found), end='', file=self.app.stdout)


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for option in parser._option_string_actions
            if option.startswith('--')]


def _bash(words: Words) -> str:
    return _BASH.format(cases=_cases(
        words, "    '{path}'*) words='{words}' ;;"))


def _zsh(words: Words) -> str:
    return _ZSH.format(cases=_cases(
        words, "    '{path}'*) words_='{words}' ;;"))


def _fish(words: Words) -> str:
    lines = []
    for path, after in sorted(words.items()):
        begins = "-c moc-meter -n '__moc_meter_line"
        verbs = [word for word in after if not word.startswith('--')]
        if verbs:
            lines.append(f'complete -f {begins} "^{path}\\$"\' '
                         f'-a "{" ".join(verbs)}"')
        lines += [f'complete {begins} "^{path}( |\\$)"\' -l {word[2:]}'
                  for word in after if word.startswith('--')]
    return _FISH.format(cases='\n'.join(lines))


def _cases(words: Words, case: str) -> str:
    """The longest first: it is the one that fits best."""
    return '\n'.join(
        case.format(path=path, words=' '.join(after))
        for path, after in sorted(words.items(), reverse=True))


SHELLS = {'bash': _bash, 'zsh': _zsh, 'fish': _fish}
