"""The program: ``emomelody``, or ``python -m emomelody``."""


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even before it is there."""
    try:
        from emomelody.cli import app

        app.main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
