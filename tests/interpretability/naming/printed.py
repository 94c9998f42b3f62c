"""What Hamidi-Haines et al. (arXiv 1812.07150) print in tables 1 and 4."""

# Images, and all significant activations, of each category.
NUM_IMAGES = dict(zip("abcdefghijkl", [60, 44, 59, 60, 60, 57, 60, 60, 60, 60, 60, 51], strict=True))
NUM_SIGNIFICANT = dict(zip("abcdefghijkl", [118, 108, 158, 120, 73, 167, 138, 125, 170, 124, 120, 81], strict=True))
# Of l the table prints 1.49, which 81 / 51 is not.
MEAN_SIGNIFICANT = dict(
    zip("abcdefghijk", ["1.97", "2.45", "2.68", "2", "1.22", "2.93", "2.3", "2.08", "2.83", "2.07", "2"], strict=True)
)

# Table 4: names, images, and the percentage as it is printed.
EXPLANATIONS = {
    "a": [
        (("eye", "close wing"), 34, "56.6667%"),
        (("close wing",), 6, "10%"),
        (("open wing", "eye"), 4, "6.6667%"),
        (("eye", "end of the white body"), 3, "5%"),
        (("nose",), 3, "5%"),
        (("eye",), 2, "3.3333%"),
        (("open wing",), 1, "1.6667%"),
        (("end of the white body",), 1, "1.6667%"),
        ((), 6, "10%"),
    ],
    "b": [
        (("crown",), 11, "25%"),
        (("beak", "wing"), 11, "25%"),
        (("wing",), 11, "25%"),
        (("crown", "neck"), 2, "4.5455%"),
        ((), 2, "4.5455%"),
        (("neck",), 2, "4.5455%"),
        (("beak", "feet"), 2, "4.5455%"),
        (("beak", "crown"), 1, "2.2727%"),
        (("wing", "neck"), 1, "2.2727%"),
        (("beak",), 1, "2.2727%"),
    ],
    "f": [
        (("throat", "forehead"), 37, "64.9123%"),
        (("throat",), 10, "17.5439%"),
        ((), 5, "8.7719%"),
        (("throat", "tail"), 2, "3.5088%"),
        (("forehead", "tail"), 2, "3.5088%"),
        (("forehead",), 1, "1.7544%"),
    ],
    "l": [
        (("eye",), 45, "88.2353%"),
        (("head",), 3, "5.8824%"),
        (("wing",), 1, "1.9608%"),
        ((), 1, "1.9608%"),
        (("eye", "wing"), 1, "1.9608%"),
    ],
}
