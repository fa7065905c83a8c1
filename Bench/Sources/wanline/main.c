// wanline: a long line between two network namespaces, for kernels without netem.
//
// Each namespace gets a TUN device; what one side's kernel sends is carried to the other side after it has queued, been
// clocked out at the line's rate, travelled, and perhaps been lost on the way. TCP on both sides is the kernel's own.
//
//   wanline NAMESPACE=ADDRESS/PREFIX NAMESPACE=ADDRESS/PREFIX rate=BITS/S delay=MICROSECONDS [loss=PER_MILLION]
//           [queue=MICROSECONDS] [seed=N]
//
// The delay is one way. Commands come as lines on standard input and each is answered by lines on standard output, the last
// of them "done": cut (everything on the way is lost, and all that follows), restore, mark (begin counting anew), report
// (a line for each tenth of a second since the mark: bytes that left the line in each direction). The end of standard
// input is the end of the line.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    LARGEST_PACKET = 1500,
    DEVICE_QUEUE = 10000, // packets the kernel holds while this process does not run
    BURST = 32,           // packets taken from one side before the other has its turn
    BIN_COUNT = 72000,    // two hours of tenths of a second
    COMMAND_LIMIT = 64,
};
static const int64_t SECOND = 1000000000, BIN = 100000000;

typedef int64_t nanoseconds;

// A packet on its way; its bytes follow. A span of nothing says: go on at the ring's beginning.
struct parcel {
    nanoseconds due;
    uint32_t length;
    uint32_t span;
};

// One direction. The ring holds packets in the order they arrive in, as rate and delay do not change.
struct direction {
    int from, to;
    unsigned char *ring;
    size_t capacity, head, tail, used;
    nanoseconds idle_at; // when the last packet taken will have been clocked out
    uint64_t random;
    uint64_t lost, overflowed, refused;
    uint64_t bins[BIN_COUNT];
};

struct line {
    double nanoseconds_per_byte;
    nanoseconds delay, queue;
    uint64_t loss; // of 2^64
    bool is_cut;
    nanoseconds marked_at;
    struct direction direction[2];
};

static void fail(const char *what) {
    fprintf(stderr, "wanline: %s: %s\n", what, strerror(errno));
    exit(1);
}

static nanoseconds now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

// SplitMix64: small, and good enough to lose packets by.
static uint64_t draw(uint64_t *state) {
    uint64_t mixed = *state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    return mixed ^ mixed >> 31;
}

// MARK: - The ends

static void request(int socket, unsigned long what, struct ifreq *interface, const char *words) {
    if (ioctl(socket, what, interface) != 0) fail(words);
}

static void bring_up(int socket, const char *name) {
    struct ifreq interface = {0};
    strncpy(interface.ifr_name, name, IFNAMSIZ - 1);
    request(socket, SIOCGIFFLAGS, &interface, "reading an interface's flags");
    interface.ifr_flags |= IFF_UP | IFF_RUNNING;
    request(socket, SIOCSIFFLAGS, &interface, "bringing an interface up");
}

static void set_address(int socket, struct ifreq *interface, unsigned long what, in_addr_t address) {
    struct sockaddr_in value = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    memcpy(&interface->ifr_addr, &value, sizeof value);
    request(socket, what, interface, "giving an interface its address");
}

// Makes the device in the namespace of "NAME=ADDRESS/PREFIX" and gives it its address.
static int open_end(const char *described) {
    char name[64], address[INET_ADDRSTRLEN], path[96];
    unsigned prefix;
    if (sscanf(described, "%63[^=]=%15[0-9.]/%u", name, address, &prefix) != 3 || prefix < 1 || prefix > 30) {
        fprintf(stderr, "wanline: an end is NAMESPACE=ADDRESS/PREFIX, not %s\n", described);
        exit(2);
    }
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0) fail(path);

    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) fail("/dev/net/tun");
    struct ifreq interface = {.ifr_name = "wan0", .ifr_flags = IFF_TUN | IFF_NO_PI};
    request(device, TUNSETIFF, &interface, "making a TUN device");
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail("socket");
    interface.ifr_mtu = LARGEST_PACKET;
    request(socket_, SIOCSIFMTU, &interface, "setting the largest packet");
    interface.ifr_qlen = DEVICE_QUEUE;
    request(socket_, SIOCSIFTXQLEN, &interface, "setting the device's queue");
    struct in_addr parsed;
    if (inet_pton(AF_INET, address, &parsed) != 1) fail(address);
    set_address(socket_, &interface, SIOCSIFADDR, parsed.s_addr);
    set_address(socket_, &interface, SIOCSIFNETMASK, htonl(0xFFFFFFFFu << (32 - prefix)));
    bring_up(socket_, "lo");
    bring_up(socket_, "wan0");
    if (setns(home, CLONE_NEWNET) != 0) fail("going home");
    close(socket_);
    close(home);
    close(there);
    return device;
}

// MARK: - The line

static struct parcel *parcel_at(struct direction *way, size_t offset) { return (struct parcel *)(way->ring + offset); }

// A place for the largest packet at the ring's tail; nothing if there is none.
static struct parcel *room(struct direction *way) {
    size_t largest = sizeof(struct parcel) + LARGEST_PACKET + 16;
    size_t to_end = way->capacity - way->tail;
    size_t skipped = to_end < largest ? to_end : 0;
    if (way->used + skipped + largest > way->capacity) return NULL;
    if (skipped > 0) {
        if (skipped >= sizeof(struct parcel)) parcel_at(way, way->tail)->span = 0;
        way->used += skipped;
        way->tail = 0;
    }
    return parcel_at(way, way->tail);
}

static struct parcel *first(struct direction *way) {
    if (way->used == 0) return NULL;
    size_t to_end = way->capacity - way->head;
    if (to_end < sizeof(struct parcel) || parcel_at(way, way->head)->span == 0) {
        way->used -= to_end;
        way->head = 0;
        if (way->used == 0) return NULL;
    }
    return parcel_at(way, way->head);
}

static void drop_first(struct direction *way, const struct parcel *parcel) {
    size_t span = parcel->span;
    way->head += span;
    way->used -= span;
    if (way->head == way->capacity) way->head = 0;
}

// Takes what one side has sent: into the queue, onto the line, or nowhere. True if there may be more.
static bool take(struct line *line, struct direction *way) {
    unsigned char spill[LARGEST_PACKET];
    for (int count = 0; count < BURST; count++) {
        struct parcel *parcel = room(way);
        unsigned char *bytes = parcel ? (unsigned char *)(parcel + 1) : spill;
        ssize_t length = read(way->from, bytes, LARGEST_PACKET);
        if (length <= 0) return false;
        if (line->is_cut) continue;
        nanoseconds arrived = now();
        nanoseconds start = way->idle_at > arrived ? way->idle_at : arrived;
        if (start - arrived > line->queue || !parcel) {
            way->overflowed++;
            continue;
        }
        way->idle_at = start + (nanoseconds)(length * line->nanoseconds_per_byte);
        // What is lost has taken its time on the line all the same.
        if (line->loss > 0 && draw(&way->random) < line->loss) {
            way->lost++;
            continue;
        }
        *parcel = (struct parcel){
            .due = way->idle_at + line->delay,
            .length = (uint32_t)length,
            .span = (uint32_t)((sizeof *parcel + (size_t)length + 15) & ~(size_t)15),
        };
        way->tail += parcel->span;
        way->used += parcel->span;
        if (way->tail == way->capacity) way->tail = 0;
    }
    return true;
}

// Hands over what is due; returns when the next packet will be.
static nanoseconds hand_over(struct line *line, struct direction *way) {
    for (struct parcel *parcel; (parcel = first(way)) != NULL; drop_first(way, parcel)) {
        nanoseconds time = now();
        if (parcel->due > time) return parcel->due;
        if (write(way->to, parcel + 1, parcel->length) == (ssize_t)parcel->length) {
            int64_t bin = (time - line->marked_at) / BIN;
            if (bin >= 0 && bin < BIN_COUNT) way->bins[bin] += parcel->length;
        } else {
            way->refused++;
        }
    }
    return INT64_MAX;
}

static void mark(struct line *line) {
    line->marked_at = now();
    for (int index = 0; index < 2; index++) {
        struct direction *way = &line->direction[index];
        memset(way->bins, 0, sizeof way->bins);
        way->lost = way->overflowed = way->refused = 0;
    }
}

static void cut(struct line *line) {
    line->is_cut = true;
    for (int index = 0; index < 2; index++) {
        struct direction *way = &line->direction[index];
        way->head = way->tail = way->used = 0;
    }
}

static void report(const struct line *line) {
    int64_t count = (now() - line->marked_at) / BIN + 1;
    for (int64_t bin = 0; bin < count && bin < BIN_COUNT; bin++) {
        unsigned long long there = line->direction[0].bins[bin], back = line->direction[1].bins[bin];
        printf("carried %llu %llu\n", there, back);
    }
    for (int index = 0; index < 2; index++) {
        const struct direction *way = &line->direction[index];
        printf("lost %llu overflowed %llu refused %llu\n", (unsigned long long)way->lost,
               (unsigned long long)way->overflowed, (unsigned long long)way->refused);
    }
}

static void obey(struct line *line, const char *command) {
    if (strcmp(command, "cut") == 0) {
        cut(line);
    } else if (strcmp(command, "restore") == 0) {
        line->is_cut = false;
    } else if (strcmp(command, "mark") == 0) {
        mark(line);
    } else if (strcmp(command, "report") == 0) {
        report(line);
    } else {
        printf("unknown command\n");
    }
    printf("done\n");
    fflush(stdout);
}

// Obeys every whole line that has come. False at the end of the input.
static bool listen_to_input(struct line *line) {
    static char buffer[COMMAND_LIMIT];
    static size_t held;
    ssize_t count = read(STDIN_FILENO, buffer + held, sizeof buffer - held);
    if (count <= 0) return count < 0 && errno == EINTR;
    held += (size_t)count;
    for (char *end; (end = memchr(buffer, '\n', held)) != NULL;) {
        *end = 0;
        obey(line, buffer);
        held -= (size_t)(end + 1 - buffer);
        memmove(buffer, end + 1, held);
    }
    if (held == sizeof buffer) held = 0;
    return true;
}

static void run(struct line *line) {
    struct direction *there = &line->direction[0], *back = &line->direction[1];
    struct pollfd polled[] = {
        {.fd = there->from, .events = POLLIN}, {.fd = back->from, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    bool goes_on = true;
    while (goes_on) {
        nanoseconds next = hand_over(line, there), next_back = hand_over(line, back);
        if (next_back < next) next = next_back;
        nanoseconds left = next == INT64_MAX ? SECOND : next - now();
        if (left < 0) left = 0;
        struct timespec bound = {.tv_sec = left / SECOND, .tv_nsec = left % SECOND};
        int ready = ppoll(polled, 3, &bound, NULL);
        if (ready < 0 && errno != EINTR) fail("poll");
        if (ready <= 0) continue;
        if (polled[0].revents) take(line, there);
        if (polled[1].revents) take(line, back);
        if (polled[2].revents) goes_on = listen_to_input(line);
    }
}

static double value(int argc, char **argv, const char *name, double otherwise) {
    size_t length = strlen(name);
    for (int index = 3; index < argc; index++) {
        if (strncmp(argv[index], name, length) == 0 && argv[index][length] == '=') return atof(argv[index] + length + 1);
    }
    return otherwise;
}

int main(int argc, char **argv) {
    double rate = argc < 5 ? 0 : value(argc, argv, "rate", 0), loss = value(argc, argv, "loss", 0);
    if (rate < 1000 || rate > 1e11 || loss < 0 || loss >= 1e6) {
        fprintf(stderr, "usage: wanline NAMESPACE=ADDRESS/PREFIX NAMESPACE=ADDRESS/PREFIX rate=BITS/S delay=MICROSECONDS "
                        "[loss=PER_MILLION] [queue=MICROSECONDS] [seed=N]\n");
        return 2;
    }
    static struct line line;
    line.nanoseconds_per_byte = 8e9 / rate;
    line.delay = (nanoseconds)(value(argc, argv, "delay", 0) * 1000);
    line.queue = (nanoseconds)(value(argc, argv, "queue", 100000) * 1000);
    line.loss = (uint64_t)(loss / 1e6 * 18446744073709551616.0);
    uint64_t seed = (uint64_t)value(argc, argv, "seed", 1);
    int ends[] = {open_end(argv[1]), open_end(argv[2])};
    for (int index = 0; index < 2; index++) {
        struct direction *way = &line.direction[index];
        way->from = ends[index];
        way->to = ends[1 - index];
        way->random = draw(&seed);
        // Twice what fits onto the line and into its queue: small packets have their heads.
        double bytes = (double)(line.delay + line.queue) / line.nanoseconds_per_byte * 2 + (1 << 20);
        way->capacity = (size_t)bytes & ~(size_t)15;
        way->ring = aligned_alloc(16, way->capacity);
        if (!way->ring) fail("the ring");
    }
    // The line must not be slower because the programs at its ends are busy: it goes before them where it may.
    struct sched_param priority = {.sched_priority = 1};
    bool goes_before = sched_setscheduler(0, SCHED_RR, &priority) == 0;
    mlockall(MCL_CURRENT | MCL_FUTURE);
    prctl(PR_SET_TIMERSLACK, 1L);
    mark(&line);
    printf("%s\ndone\n", goes_before ? "ready" : "ready, with no priority");
    fflush(stdout);
    run(&line);
    return 0;
}
