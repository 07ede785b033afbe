"""Makes the groups that are named, or all."""

import importlib
import sys
import traceback

import corpus

GROUPS = ["pdf", "office", "pictures", "media", "archives", "texts", *(f"hostile.{name}" for name in ["pdf", "office", "archives", "pictures", "media", "texts"])]


def main():
    failed = 0
    for name in sys.argv[1:] or GROUPS:
        side, _, module = name.rpartition(".")
        group = corpus.Group(side or "honest", module)
        maker = importlib.import_module(f"{side or 'honest'}.{module}")
        for make in maker.ALL:
            try:
                make(group)
            except Exception:
                failed += 1
                print(f"{name}: {make.__name__} failed")
                traceback.print_exc()
        group.done()
    corpus.clean()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
