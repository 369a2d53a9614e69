"""Mock-ups: designs put on photographs of products. `job` tells the story; the other modules are its steps.

Templates and designs are judged by their headers, then a plan says which mock-ups there are to be. One at a time is
rendered by a child process, unless more are asked for and admitted. What was made of the same inputs is kept.
"""
