/* Made by tests/golden/gbdt.py with scikit-learn 1.2.1: 20,000 rows to train on, 20,000
 * to test; 100 trees, rate 0.1, 255 bins, L2 1; 31 leaves (squared), 8 (logistic). */
#ifndef TESTS_GOLDEN_GBDT_H
#define TESTS_GOLDEN_GBDT_H

#define GOLDEN_GBDT_RMSE 0.293556764783
#define GOLDEN_GBDT_AUC 0.772140883604
#define GOLDEN_GBDT_PR_AUC 0.0879126021719
#define GOLDEN_GBDT_LOGLOSS 0.116181089583
#define GOLDEN_GBDT_POSITIVES 570
#define GOLDEN_GBDT_SUM_Y 12935.0508104

#endif
