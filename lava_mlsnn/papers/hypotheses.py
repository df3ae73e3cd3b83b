"""What is asked of the networks that are trained for the papers, and how it is decided; older than those trainings.

Accuracies are those of the integer networks on all test images. Two of them, each of a few trainings (seeds), are
compared by a bootstrap (:func:`lava_mlsnn.papers.paired.interval`): test images are drawn, the same for both sides, and
trainings, independently. The interval of the difference has the confidence :data:`CONFIDENCE`.

- *As accurate*: holds if the whole interval is within :data:`SAME`, does not hold if all of it is outside.
- *More accurate*: holds if the whole interval is above 0, does not hold if all of it is below.
- Otherwise it cannot be told. One training on a side tells nothing.

Of [Castagnetti2025], for VGG16 and k = 2, 4, 8:

- [T = 1, N = k] is as accurate as [T = k, N = 1] (section 6.1).
- The gap to the ANN shrinks with k (Fig. 6): the largest N is more accurate than N = 1, and as accurate as the ANN.
- Spikes grow linearly with T, and more slowly with N (Fig. 7A): as k to a power within :data:`LINEAR`, and to one that
  is smaller by at least :data:`SLOWER`, in every training.
- Spikes and energy of [T = 1, N = k] are below :data:`SAVED` times those of [T = k, N = 1] for k = 4 and 8, in every
  training and both countings (Fig. 7, Tables 3 and 4); below or above the ANN's as Table 3 says.

and for residual networks, at T = 1:

- Sparse-ResNet is as accurate as SEW-ResNet at each N (sections 5.4 and 6.5), and sends fewer spikes for N > 1, by a
  share that grows from the smallest such N to the largest (Fig. 11), in three ways to count SEW's sums.
- With STE the gradients |dL/dA| are above those without it and closer to SEW's, before and after training (Fig. 8), and
  the validation loss ends lower and declines faster (Fig. 9). The same of the gradients in training was added when the
  ends were known; the same against Eq 9 as the gradient without STE, and that with "clip", which the paper does not
  have, Sparse-ResNet is more accurate than with STE and as accurate as SEW, when STE and the surrogate were known.
- Fewer events behind every sum (Fig. 10), which grow from sum 0 to sum 1 in SEW alone (Fig. 4).
- On simulated events VGG16 with T = 1, N = 10 is as accurate as with T = 10, N = 1 (Table 2).

Of [VicenteSola2022], for small S-ResNets on Fashion-MNIST at T = 4, whose scale of the surrogate is the one that is
best for S2S on held-out training images (item "alpha", by which it is 1); all are "more accurate", in the order of the
text:

- S2S than V2V, and V2V than S2M (Table 2); two blocks per stage than one, and as accurate as three (Table 3).
- The raw image than Poisson spikes (Table 4); one norm per timestep than one for all (Table 5).
- One neuron per class than ten that vote with 100 classes, ten than one with 10 classes (Tables 6, 7).
- A leak that is searched than trained ones (Tables 8, 10); the ANN than the S-ResNet (Table 15).
- Every timestep that is dropped costs accuracy (Table 16), and a trained leak then gains (Table 17).

Of [Castagnetti2023], at T = 4 with alpha = 1, all "more accurate" but where it says otherwise:

- ATIF-nu than ATIF-u, and ATIF-u than fixed thresholds (Tables 1 and 3); the ANN than either (Table 1).
- On spoken words, which are synthetic here, either is as accurate as the ANN (Table 2).
- theta of ATIF-u is below that of ATIF-nu, and this below that of fixed thresholds (Table 3): Welch's interval over
  trainings, of the same confidence, is above 0. Every training sends less than one spike per neuron (section 4.2).

Of [Yao2023], for float networks of binary spikes at T = 1, of width 16 on 16x16 images, all "more accurate", for both
networks:

- Four dilated windows than four normal ones, and than one (Table 4).
- The projection at theta = 0.5 than the best of the other functions, and than the best other theta (Fig. 5).
- LSTM than the best other cell, and the recurrent cell "rnn" than the perceptron (Table 6).
"""

from __future__ import annotations

ERROR = 0.05
"""How often a page may contain a wrong verdict on accuracies."""

CLAIMS = 20
"""Comparisons of accuracies that a page may have; each gets this part of the error (Bonferroni)."""

CONFIDENCE = 1 - ERROR / CLAIMS
"""Of the interval behind one verdict."""

SAME = 0.01
"""Accuracies within a point are called the same. One of 10,000 test images is 0.01 points, and two trainings of one
network with other seeds differ by a few tenths of a point."""

LINEAR = (0.8, 1.2)
"""Exponents of growth that are called linear."""

SLOWER = 0.2
"""By how much an exponent has to be smaller."""

SAVED = 0.6
"""The paper's ratios of energy are 0.51, 0.37 and 0.39."""
