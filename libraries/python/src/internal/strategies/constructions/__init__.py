"""Constructions: each turns a situation and scores into targets."""
