"""Serving as a run of events: requests that arrive one by one, engines that batch them, and what each request saw.

Knows no chip, engine or price: how long a step or a pass takes is given as laws. Pure Python on floats, one replica at a time.
"""
