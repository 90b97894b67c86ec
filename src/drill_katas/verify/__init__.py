"""Certification of katas: arms, judged on checks, compared with their declarations."""
