"""Other ways to make the same sheet, from the same files to the same pixel size, each a script one would write.

Each is run as a whole process: `python -m bench.peers.NAME JOB.json SHEET.png`.
"""
