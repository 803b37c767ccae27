"""The population that networks of streams learn from: patients as a Holter meets them, for as long as wanted.

A patient has one rhythm and at most two anomalies. Atria and ventricles have a course of their own each (`timeline`),
which a lead shows as waves of many shapes (`shapes`, `look`); onset and offset are where an annotator would see them,
not where the formula begins. What cannot be seen, such as a P wave inside of a T wave, is not annotated.
"""
