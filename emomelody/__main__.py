"""``python -m emomelody``."""

from emomelody.cli import main

if __name__ == "__main__":
    main()
