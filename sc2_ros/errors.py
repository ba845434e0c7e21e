# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package's exceptions; every message says what was wrong, with which value, and what to do."""


class Sc2Error(Exception):
    """Base of everything that a user can cause and mend; the CLI prints it as one line."""


class CheckpointError(Sc2Error):
    """A checkpoint is missing, unreadable or not one of ours."""


class InputError(Sc2Error):
    """A video, image, folder, bag or camera cannot be read."""


class LinkSpecError(Sc2Error):
    """A link description is neither a rate nor a trace."""


class KeyFileError(Sc2Error):
    """A key file of the air link is missing, readable by others, or not one of ours."""


class AirAddressError(Sc2Error):
    """An address of the air link cannot be read, resolved or bound."""


class ParameterError(Sc2Error):
    """A parameter is out of its range or of the wrong type."""


class PacketError(Sc2Error):
    """A packet is damaged or not ours; pipelines count it and carry on."""


class MismatchError(PacketError):
    """A packet was made with another checkpoint than the one that is loaded."""


class MissingReferenceError(PacketError):
    """A slice was predicted from a frame that this station does not have."""


def not_installed(error: ModuleNotFoundError, extra: str) -> str:
    """What to do where a package of another is missing: which, and the extra of ours that has it.

    Raises:
        ModuleNotFoundError: the module is one of ours, so that no installation would help.
    """
    package = (error.name or "sc2_ros").partition(".")[0]
    if package == "sc2_ros":
        raise error
    return (
        f"{package} is not installed; pip install 'sc2_ros[{extra}]', or '.[{extra}]' in a checkout"
    )
