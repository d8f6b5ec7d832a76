"""Finds the private names of the SDK that the tap uses, and the SDK's code behind each."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

import tap_cube

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FunctionType, ModuleType

Function = ast.FunctionDef | ast.AsyncFunctionDef
Code = Function | ast.ClassDef
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
CODE = (*FUNCTION, ast.ClassDef)


def is_private(name: str) -> bool:
    """Whether a name is private."""
    return name.startswith("_") and not name.endswith("__")


def is_of_sdk(thing: type | ModuleType) -> bool:
    """Whether a class or a module belongs to the SDK."""
    name = thing.__module__ if isinstance(thing, type) else thing.__name__
    return name.split(".")[0] == "singer_sdk"


@cache
def tree_of(thing: type | ModuleType) -> ast.AST:
    """The code of a class or a module, parsed."""
    tree = ast.parse(inspect.getsource(thing))
    return tree.body[0] if isinstance(thing, type) else tree


def functions(tree: ast.AST) -> Iterator[Function]:
    """The functions of a class or a module, without those inside them."""
    return (node for node in ast.iter_child_nodes(tree) if isinstance(node, FUNCTION))


def of_self(node: ast.AST) -> bool:
    """Whether an expression is `self`, `cls` or the like."""
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Name) and node.id in {"self", "cls", "super"}


def attributes(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Every private attribute in code."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return (node for node in nodes if is_private(node.attr))


def sdk_classes(cls: type) -> list[type]:
    """The classes of the SDK that a class inherits from, nearest first."""
    return [base for base in cls.__mro__ if is_of_sdk(base)]


@cache
def names_of(cls: type) -> frozenset[str]:
    """Private names that a class of the SDK defines or sets."""
    tree = tree_of(cls)
    own = {node.attr for node in attributes(tree) if of_self(node.value) and is_set(node)}
    return frozenset(own | {name for name in vars(cls) if is_private(name) and "_abc" not in name})


def is_set(node: ast.Attribute) -> bool:
    """Whether an attribute is assigned."""
    return isinstance(node.ctx, ast.Store)


def modules() -> Iterator[ModuleType]:
    """Every module of the tap."""
    for module in pkgutil.walk_packages(tap_cube.__path__, "tap_cube."):
        yield importlib.import_module(module.name)


class Uses(dict[str, set[str]]):
    """The modules of the tap that use each private name, and whether they change it.

    Attributes:
        changed: Names that the tap overrides or sets.
        owners: The SDK's classes that have a name, nearest first.
    """

    def __init__(self) -> None:
        """Search all modules of the tap."""
        super().__init__()
        self.changed: set[str] = set()
        self.owners: dict[str, list[type]] = {}
        found = list(modules())
        built = [
            cls
            for module in found
            for cls in vars(module).values()
            if isinstance(cls, type) and cls.__module__ == module.__name__ and sdk_classes(cls)
        ]
        for module in found:
            self._visit_imports(module)
            for cls in built:
                if cls.__module__ == module.__name__:
                    self._visit_class(cls, module)
            for node in attributes(tree_of(module)):
                if not of_self(node.value):
                    for cls in built:
                        self._note(node.attr, cls, module, is_changed=is_set(node))

    def _visit_imports(self, module: ModuleType) -> None:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("singer_sdk"):
                for alias in node.names:
                    name = f"{node.module}.{alias.name}"
                    if any(map(is_private, name.split("."))):
                        self.setdefault(name, set()).add(module.__name__)
            elif isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
                assert not any("singer_sdk._" in name for name in names), "import names from it"

    def _visit_class(self, cls: type, module: ModuleType) -> None:
        tree = tree_of(cls)
        for function in functions(tree):
            self._note(function.name, cls, module, is_changed=True)
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._note(target.id, cls, module, is_changed=True)
        for attribute in attributes(tree):
            if of_self(attribute.value):
                self._note(attribute.attr, cls, module, is_changed=is_set(attribute))

    def _note(self, name: str, cls: type, module: ModuleType, *, is_changed: bool) -> None:
        owners = [base for base in sdk_classes(cls) if name in names_of(base)]
        if not is_private(name) or not owners:
            return
        # The base class that introduces the name; its subclasses may only use it.
        title = f"{owners[-1].__name__}.{name}"
        self.owners[title] = sdk_classes(cls)
        self.setdefault(title, set()).add(module.__name__)
        if is_changed:
            self.changed.add(title)


@cache
def uses() -> Uses:
    """The private names that the tap uses, searched once."""
    return Uses()


def code_behind(name: str) -> Mapping[str, Code]:
    """The SDK's code behind a private name, by qualified name."""
    if name in uses().owners:
        private = name.partition(".")[2]
        is_changed = name in uses().changed
        return {
            f"{cls.__module__}.{cls.__name__}.{function.name}": function
            for cls in uses().owners[name]
            for function in functions(tree_of(cls))
            if function.name == private
            or any(
                node.attr == private and (is_changed or is_set(node))
                for node in attributes(function)
            )
        }
    wanted = imported(name)
    module = wanted.__module__
    tree = tree_of(importlib.import_module(module))
    known = {node.name: node for node in ast.iter_child_nodes(tree) if isinstance(node, CODE)}
    reached: dict[str, Code] = {}
    ahead = {wanted.__name__}
    while ahead:
        reached |= {name: known[name] for name in ahead}
        named = {n.id for name in ahead for n in ast.walk(known[name]) if isinstance(n, ast.Name)}
        ahead = (named & known.keys()) - reached.keys()
    return {f"{module}.{name}": code for name, code in reached.items()}


def imported(name: str) -> type | FunctionType:
    """The class or function of the SDK with a qualified name."""
    module, _, wanted = name.rpartition(".")
    found: type | FunctionType = getattr(importlib.import_module(module), wanted)
    return found


def digest(code: Mapping[str, Code]) -> str:
    """A short digest of code, independent of comments, docstrings and order."""
    text = "\n".join(f"{name} {shape(each)}" for name, each in sorted(code.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shape(node: object) -> str:
    """The text of a syntax tree, the same in every Python version, unlike that of `ast.dump`."""
    if isinstance(node, list):
        return "[" + ",".join(map(shape, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, CODE) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    parts = (f"{name}={shape(value)}" for name, value in fields.items() if value not in (None, []))
    return f"{type(node).__name__}({','.join(parts)})"


def signature(name: str) -> str:
    """The parameters of the function behind a private name; "" if it is no function."""
    if name in uses().owners:
        cls = uses().owners[name][0]
        function = getattr(cls, name.partition(".")[2], None)
    else:
        function = imported(name)
    return f"({', '.join(inspect.signature(function).parameters)})" if callable(function) else ""
