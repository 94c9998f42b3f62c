"""The naming study: people group the activation maps of a network and name the groups (Hamidi-Haines et al., 2018).

What an annotator does is a list of actions (`actions.py`), and what stands on the page is their fold (`state.py`).
"""
