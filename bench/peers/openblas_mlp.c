/* The recipe `mlp` in C over OpenBLAS: what its dense arithmetic costs where hardly anything else is done.

       openblas_mlp mlp --data-dir FOLDER --steps N --batch-size N

   784-500-10 with ReLU; stochastic gradient descent at 0.1, ×0.99 every 275 steps; L2 of 1e-4 on the weights;
   moving average of all parameters, which is tested. Each thread takes its share of the batch forwards and
   backwards, then its share of the weights. The gradient of the weights is never stored: the product adds it
   to them, at the learning rate, and L2 scales what was there. Checkpoints are left out.

   The last line of output is JSON, as that of the other programs. */

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cblas.h>
#include <math.h>

enum { PIXELS = 784, HIDDEN = 500, CLASSES = 10, VALIDATION = 5000 };

static const float L2 = 1e-4f;

/* Offsets of the parts of a network's parameters: W1 [784, hidden], b1, W2 [hidden, 10], b2. */
typedef struct {
    size_t b1, w2, b2, all;
} Layout;

static Layout layout(int hidden) {
    Layout at;
    at.b1 = (size_t)PIXELS * hidden;
    at.w2 = at.b1 + hidden;
    at.b2 = at.w2 + (size_t)hidden * CLASSES;
    at.all = at.b2 + CLASSES;
    return at;
}

/* `part` of `parts` that are as equal as can be begins here; the next one's beginning is its end. */
static int begin(int whole, int part, int parts) { return (int)((int64_t)whole * part / parts); }

static void *memory(size_t bytes) {
    void *found = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!found) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return found;
}

/* hidden_values [n, hidden] = ReLU(x W1 + b1); outputs [n, 10] = logits. */
static void forward(const float *net, int hidden, const float *x, int n, float *hidden_values, float *outputs) {
    Layout at = layout(hidden);
    for (int i = 0; i < n; i++) {
        memcpy(hidden_values + (size_t)i * hidden, net + at.b1, hidden * sizeof(float));
        memcpy(outputs + i * CLASSES, net + at.b2, CLASSES * sizeof(float));
    }
    scipy_cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, hidden, PIXELS, 1, x, PIXELS, net, hidden, 1,
                      hidden_values, hidden);
    for (size_t i = 0; i < (size_t)n * hidden; i++)
        hidden_values[i] = hidden_values[i] > 0 ? hidden_values[i] : 0;
    scipy_cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, CLASSES, hidden, 1, hidden_values, hidden,
                      net + at.w2, CLASSES, 1, outputs, CLASSES);
}

static void gather(const uint8_t *images, const int32_t *rows, int n, float *x) {
    for (int i = 0; i < n; i++) {
        const uint8_t *image = images + (size_t)rows[i] * PIXELS;
        for (int j = 0; j < PIXELS; j++)
            x[(size_t)i * PIXELS + j] = image[j] * (1 / 255.0f);
    }
}

/* weights [inputs, outputs] := keep * weights - rate * x^T delta, over the rows of `from` to `to`. */
static void descend(float *weights, const float *x, const float *delta, int inputs, int outputs, int n, int from,
                    int to, float rate, float keep) {
    if (from < to)
        scipy_cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, to - from, outputs, n, -rate, x + from, inputs,
                          delta, outputs, keep, weights + (size_t)from * outputs, outputs);
}

static void sum_columns(float *biases, const float *delta, int outputs, int n, int from, int to, float rate) {
    for (int i = 0; i < n; i++)
        for (int j = from; j < to; j++)
            biases[j] -= rate * delta[(size_t)i * outputs + j];
}

static void move(float *average, const float *net, size_t from, size_t to, float share) {
    for (size_t i = from; i < to; i++)
        average[i] += share * (net[i] - average[i]);
}

/* Waits for all threads. OpenMP's own barrier holds a core that another thread may need to get there. */
static void meet(int threads) {
    static atomic_int arrived, turn;
    int now = atomic_load(&turn);
    if (atomic_fetch_add(&arrived, 1) + 1 == threads) {
        atomic_store(&arrived, 0);
        atomic_store(&turn, now + 1);
        return;
    }
    for (int tries = 0; atomic_load(&turn) == now; tries++)
        if (tries >= 10000)
            sched_yield();
}

/* Trains `net` and its moving average, float32 [784 * hidden + hidden + hidden * 10 + 10] each, on the batches
   that `rows`, int32 [steps, batch_size], picks out of images, uint8 [any, 784], and labels, uint8 [any]. */
void train(float *net, float *average, int hidden, const uint8_t *images, const uint8_t *labels,
           const int32_t *rows, int steps, int batch_size) {
    Layout at = layout(hidden);
    float *x = memory(sizeof(float) * batch_size * PIXELS);
    float *hidden_values = memory(sizeof(float) * batch_size * hidden);
    float *hidden_delta = memory(sizeof(float) * batch_size * hidden);
    float *delta = memory(sizeof(float) * batch_size * CLASSES);
    scipy_openblas_set_num_threads(1); /* of each of the threads here */
#pragma omp parallel
    {
        int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        int first = begin(batch_size, thread, threads), n = begin(batch_size, thread + 1, threads) - first;
        int pixel = begin(PIXELS, thread, threads), pixel_end = begin(PIXELS, thread + 1, threads);
        int unit = begin(hidden, thread, threads), unit_end = begin(hidden, thread + 1, threads);
        float *own_x = x + (size_t)first * PIXELS;
        float *own_hidden = hidden_values + (size_t)first * hidden;
        float *own_hidden_delta = hidden_delta + (size_t)first * hidden;
        float *own_delta = delta + first * CLASSES;
        for (int step = 0; step < steps; step++) {
            const int32_t *own_rows = rows + (size_t)step * batch_size + first;
            float learning_rate = 0.1f * powf(0.99f, (float)(step / 275));
            float rate = learning_rate / batch_size, keep = 1 - learning_rate * L2;
            float decay = fminf(0.99f, (2.0f + step) / (11.0f + step));
            if (n > 0) {
                gather(images, own_rows, n, own_x);
                forward(net, hidden, own_x, n, own_hidden, own_delta);
                for (int i = 0; i < n; i++) { /* softmax less one-hot */
                    float *row = own_delta + i * CLASSES, largest = row[0], sum = 0;
                    for (int j = 1; j < CLASSES; j++)
                        largest = fmaxf(largest, row[j]);
                    for (int j = 0; j < CLASSES; j++)
                        sum += row[j] = expf(row[j] - largest);
                    for (int j = 0; j < CLASSES; j++)
                        row[j] /= sum;
                    row[labels[own_rows[i]]] -= 1;
                }
                scipy_cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, hidden, CLASSES, 1, own_delta, CLASSES,
                                  net + at.w2, CLASSES, 0, own_hidden_delta, hidden);
                for (size_t i = 0; i < (size_t)n * hidden; i++)
                    own_hidden_delta[i] = own_hidden[i] > 0 ? own_hidden_delta[i] : 0;
            }
            meet(threads);
            descend(net, x, hidden_delta, PIXELS, hidden, batch_size, pixel, pixel_end, rate, keep);
            move(average, net, (size_t)pixel * hidden, (size_t)pixel_end * hidden, 1 - decay);
            sum_columns(net + at.b1, hidden_delta, hidden, batch_size, unit, unit_end, rate);
            move(average, net, at.b1 + unit, at.b1 + unit_end, 1 - decay);
            descend(net + at.w2, hidden_values, delta, hidden, CLASSES, batch_size, unit, unit_end, rate, keep);
            move(average, net, at.w2 + (size_t)unit * CLASSES, at.w2 + (size_t)unit_end * CLASSES, 1 - decay);
            if (thread == threads - 1) {
                sum_columns(net + at.b2, delta, CLASSES, batch_size, 0, CLASSES, rate);
                move(average, net, at.b2, at.all, 1 - decay);
            }
            meet(threads);
        }
    }
    free(x), free(hidden_values), free(hidden_delta), free(delta);
}

/* How many of the images, in file order, the network gets right. */
static int right(const float *net, int hidden, const uint8_t *images, const uint8_t *labels, int count) {
    int found = 0;
#pragma omp parallel reduction(+ : found)
    {
        enum { MOST = 100 };
        float *x = memory(sizeof(float) * MOST * PIXELS), *hidden_values = memory(sizeof(float) * MOST * hidden);
        float outputs[MOST * CLASSES];
        int32_t rows[MOST];
#pragma omp for
        for (int first = 0; first < count; first += MOST) {
            int n = count - first < MOST ? count - first : MOST;
            for (int i = 0; i < n; i++)
                rows[i] = first + i;
            gather(images, rows, n, x);
            forward(net, hidden, x, n, hidden_values, outputs);
            for (int i = 0; i < n; i++) {
                int best = 0;
                for (int j = 1; j < CLASSES; j++)
                    if (outputs[i * CLASSES + j] > outputs[i * CLASSES + best])
                        best = j;
                found += best == labels[first + i];
            }
        }
        free(x), free(hidden_values);
    }
    return found;
}

/* Random numbers: SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t state;

static uint64_t draw(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double uniform(void) { return ((draw() >> 11) + 0.5) * 0x1p-53; }

/* Normal with a standard deviation of 0.1; what falls beyond two of them is drawn again. */
static float truncated_normal(void) {
    for (;;) {
        double normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
        if (fabs(normal) <= 2)
            return (float)(0.1 * normal);
    }
}

/* The rows of all batches: all digits in a new order each time they have been run through. */
static int32_t *shuffled(int digits, int64_t needed) {
    int64_t whole = (needed + digits - 1) / digits * digits;
    int32_t *rows = memory(sizeof(int32_t) * whole);
    for (int64_t first = 0; first < whole; first += digits)
        for (int i = 0; i < digits; i++) {
            int j = (int)(draw() % (uint64_t)(i + 1));
            rows[first + i] = rows[first + j];
            rows[first + j] = i;
        }
    return rows;
}

/* What a gzip-compressed IDX file has after its head of so many bytes. */
static uint8_t *read_idx(const char *folder, const char *name, int head, int bytes_each, int *count) {
    char path[4096];
    uint8_t bytes[16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    setenv("IDX_FILE", path, 1); /* so that the shell takes any path */
    FILE *file = popen("gzip -dc < \"$IDX_FILE\"", "r");
    if (!file || fread(bytes, 1, head, file) != (size_t)head) {
        fprintf(stderr, "%s is not a gzip-compressed IDX file\n", path);
        exit(2);
    }
    *count = bytes[4] << 24 | bytes[5] << 16 | bytes[6] << 8 | bytes[7];
    size_t size = (size_t)*count * bytes_each;
    uint8_t *data = memory(size);
    if (fread(data, 1, size, file) != size || pclose(file) != 0) {
        fprintf(stderr, "%s ends early\n", path);
        exit(2);
    }
    return data;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

int main(int count, char **words) {
    const char *folder = NULL;
    int steps = 0, batch_size = 0;
    for (int i = 2; i + 1 < count; i += 2) {
        if (!strcmp(words[i], "--data-dir"))
            folder = words[i + 1];
        else if (!strcmp(words[i], "--steps"))
            steps = atoi(words[i + 1]);
        else if (!strcmp(words[i], "--batch-size"))
            batch_size = atoi(words[i + 1]);
    }
    if (count != 8 || strcmp(words[1], "mlp") || !folder || steps < 1 || batch_size < 1) {
        fprintf(stderr, "usage: %s mlp --data-dir FOLDER --steps N --batch-size N\n", words[0]);
        return 2;
    }
    int train_count, test_count;
    uint8_t *images = read_idx(folder, "train-images-idx3-ubyte.gz", 16, PIXELS, &train_count);
    uint8_t *labels = read_idx(folder, "train-labels-idx1-ubyte.gz", 8, 1, &train_count);
    uint8_t *test_images = read_idx(folder, "t10k-images-idx3-ubyte.gz", 16, PIXELS, &test_count);
    uint8_t *test_labels = read_idx(folder, "t10k-labels-idx1-ubyte.gz", 8, 1, &test_count);
    if (train_count <= VALIDATION) {
        fprintf(stderr, "more than %d training digits were expected: %d\n", VALIDATION, train_count);
        return 2;
    }
    struct timespec seed;
    clock_gettime(CLOCK_REALTIME, &seed);
    state = (uint64_t)seed.tv_sec * 1000000000u + (uint64_t)seed.tv_nsec;

    Layout at = layout(HIDDEN);
    float *net = memory(sizeof(float) * at.all), *average = memory(sizeof(float) * at.all);
    for (size_t i = 0; i < at.all; i++)
        net[i] = i < at.b1 || (i >= at.w2 && i < at.b2) ? truncated_normal() : 0;
    memcpy(average, net, sizeof(float) * at.all);
    double start = now();
    int32_t *rows = shuffled(train_count - VALIDATION, (int64_t)steps * batch_size);
    train(net, average, HIDDEN, images + (size_t)VALIDATION * PIXELS, labels + VALIDATION, rows, steps, batch_size);
    double seconds = now() - start;
    int found = right(average, HIDDEN, test_images, test_labels, test_count);
    printf("{\"train_seconds\": %.6f, \"test\": {\"accuracy\": %.6f}}\n", seconds, (double)found / test_count);
    return 0;
}
