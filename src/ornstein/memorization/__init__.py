"""Has a generative model copied its training set?"""
