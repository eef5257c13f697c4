"""A keyword in a stream of sound: do mined false alarms make a detector better than random segments do?"""
