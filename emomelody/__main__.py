"""The program: ``emomelody``, or ``python -m emomelody``."""

import gc


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even before it is there.

    Garbage is not looked for among what is imported, neither now nor when the program ends: that would take a
    seventh of the time of a small command.
    """
    gc.disable()
    try:
        from emomelody.cli import app

        gc.freeze()
        gc.enable()
        app.main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
