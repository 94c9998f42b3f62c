"""The web server of the human studies: people answer trials in a browser. It shows and counts, and knows no science.

A study is a folder: `study.json` and `trials.jsonl` (`folder.py` says what is in them), `images/`, and what the server
adds: `answers.sqlite` and `secret`. Nothing here imports torch; only what serves pages needs the extra `study`.
"""
