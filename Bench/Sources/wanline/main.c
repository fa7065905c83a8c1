// wanline: a long line between two network namespaces, for kernels without netem.
//
// Each namespace gets a TUN device; what one side's kernel sends is carried to the other side after it has queued, been
// clocked out at the line's rate, travelled, and perhaps been lost on the way. TCP on both sides is the kernel's own.
//
// Kernels hand over trains of segments, as they do to a network card, and take them so: the line cuts a train into packets,
// each of which queues, travels and is lost by itself, and couples those again that are due together. It would need a whole
// processor for a gigabit a second otherwise.
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
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
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
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    LARGEST_PACKET = 1500,
    DEVICE_QUEUE = 10000, // packets the kernel holds while this process does not run
    LARGEST_TRAIN = 65535,
    LONGEST_TRAIN = 44, // segments
    BURST = 64,         // trains taken from one side before the other has its turn
    BIN_COUNT = 72000,    // two hours of tenths of a second
    COMMAND_LIMIT = 64,
};
static const int64_t SECOND = 1000000000, BIN = 100000000;
// Packets wait for each other as long as some take on the line, within bounds: as for a network card that saves interrupts.
static const int64_t SHORTEST_TICK = 100000, LONGEST_TICK = 250000, PACKETS_IN_A_TICK = 8;

typedef int64_t nanoseconds;

// A packet on its way; its bytes follow. A span of nothing says: go on at the ring's beginning.
struct parcel {
    nanoseconds due;
    uint16_t length;
    uint16_t span;
    uint16_t checksum_start; // where what it is a sum of begins; nothing for a packet whose checksum is there
    uint16_t checksum_offset;
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
    nanoseconds delay, queue, tick;
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
    struct ifreq interface = {.ifr_name = "wan0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    request(device, TUNSETIFF, &interface, "making a TUN device");
    if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) fail("taking trains of segments");
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

// Puts one packet into the queue and onto the line, or nowhere. It comes in two parts, as a train's segments share a head.
static void admit(struct line *line, struct direction *way, const unsigned char *head, size_t head_length,
                  const unsigned char *rest, size_t rest_length, const struct virtio_net_hdr *told) {
    size_t length = head_length + rest_length;
    nanoseconds arrived = now();
    nanoseconds start = way->idle_at > arrived ? way->idle_at : arrived;
    struct parcel *parcel = length > LARGEST_PACKET || start - arrived > line->queue ? NULL : room(way);
    if (!parcel) {
        way->overflowed++;
        return;
    }
    way->idle_at = start + (nanoseconds)((double)length * line->nanoseconds_per_byte);
    // What is lost has taken its time on the line all the same.
    if (line->loss > 0 && draw(&way->random) < line->loss) {
        way->lost++;
        return;
    }
    bool is_open = told->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    *parcel = (struct parcel){
        .due = way->idle_at + line->delay,
        .length = (uint16_t)length,
        .span = (uint16_t)((sizeof *parcel + length + 15) & ~(size_t)15),
        .checksum_start = is_open ? told->csum_start : 0,
        .checksum_offset = is_open ? told->csum_offset : 0,
    };
    memcpy(parcel + 1, head, head_length);
    memcpy((unsigned char *)(parcel + 1) + head_length, rest, rest_length);
    way->tail += parcel->span;
    way->used += parcel->span;
    if (way->tail == way->capacity) way->tail = 0;
}

// A packet's IPv4 and TCP heads, where there are such.
static bool heads(unsigned char *bytes, size_t length, struct iphdr **ip, struct tcphdr **tcp, size_t *head_length) {
    *ip = (struct iphdr *)bytes;
    if (length < sizeof **ip || (*ip)->version != 4 || (*ip)->ihl < 5 || (*ip)->protocol != IPPROTO_TCP) return false;
    size_t ip_length = (size_t)(*ip)->ihl * 4;
    *tcp = (struct tcphdr *)(bytes + ip_length);
    if (length < ip_length + sizeof **tcp || (*tcp)->doff < 5) return false;
    *head_length = ip_length + (size_t)(*tcp)->doff * 4;
    return length >= *head_length;
}

// RFC 791: an IP head's length, and its checksum anew.
static void seal(struct iphdr *ip, size_t length) {
    ip->tot_len = htons((uint16_t)length);
    ip->check = 0;
    uint32_t sum = 0;
    const uint16_t *words = (const uint16_t *)ip;
    for (int index = 0; index < ip->ihl * 2; index++) sum += words[index];
    sum = (sum & 0xFFFF) + (sum >> 16);
    ip->check = (uint16_t)~(sum + (sum >> 16));
}

// Cuts a train into its segments.
static void admit_train(struct line *line, struct direction *way, unsigned char *bytes, size_t length,
                        const struct virtio_net_hdr *told) {
    struct iphdr *ip;
    struct tcphdr *tcp;
    size_t head_length;
    if (told->gso_size == 0 || !heads(bytes, length, &ip, &tcp, &head_length)) {
        way->refused++;
        return;
    }
    uint32_t sequence = ntohl(tcp->seq);
    uint16_t identity = ntohs(ip->id);
    bool pushes = tcp->psh, ends = tcp->fin;
    for (size_t at = head_length; at < length; at += told->gso_size) {
        size_t segment = length - at < told->gso_size ? length - at : told->gso_size;
        bool is_last = at + segment == length;
        tcp->seq = htonl(sequence + (uint32_t)(at - head_length));
        tcp->psh = pushes && is_last;
        tcp->fin = ends && is_last;
        ip->id = htons(identity++);
        seal(ip, head_length + segment);
        admit(line, way, bytes, head_length, bytes + at, segment, told);
    }
}

// Takes what one side has sent.
static void take(struct line *line, struct direction *way) {
    static struct {
        struct virtio_net_hdr told;
        _Alignas(4) unsigned char bytes[LARGEST_TRAIN];
    } train;
    struct iovec parts[] = {{&train.told, sizeof train.told}, {train.bytes, sizeof train.bytes}};
    for (int count = 0; count < BURST; count++) {
        ssize_t length = readv(way->from, parts, 2) - (ssize_t)sizeof train.told;
        if (length <= 0) return;
        if (line->is_cut) continue;
        if (train.told.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
            admit(line, way, train.bytes, (size_t)length, NULL, 0, &train.told);
        } else {
            admit_train(line, way, train.bytes, (size_t)length, &train.told);
        }
    }
}

// Whether a segment goes on where a train ends: the same stream, the next bytes, and nothing else that differs.
static bool goes_on(const unsigned char *train, size_t head_length, const unsigned char *bytes, uint32_t sequence) {
    const struct iphdr *ip = (const struct iphdr *)train, *next_ip = (const struct iphdr *)bytes;
    size_t ip_length = (size_t)ip->ihl * 4;
    const struct tcphdr *tcp = (const struct tcphdr *)(train + ip_length);
    const struct tcphdr *next = (const struct tcphdr *)(bytes + ip_length);
    return next_ip->ihl == ip->ihl && next_ip->protocol == ip->protocol && next_ip->saddr == ip->saddr
        && next_ip->daddr == ip->daddr && next->source == tcp->source && next->dest == tcp->dest
        && ntohl(next->seq) == sequence && next->ack_seq == tcp->ack_seq && next->window == tcp->window
        && next->doff == tcp->doff && !next->syn && !next->rst && !next->urg && next->ack
        && memcmp(train + ip_length + sizeof *tcp, bytes + ip_length + sizeof *tcp, head_length - ip_length - sizeof *tcp) == 0;
}

// Hands over the first packet, and with it all that follow it, are due, and go on where it ends.
static void hand_over_train(struct line *line, struct direction *way, nanoseconds time) {
    struct parcel *parcel = first(way);
    unsigned char head[128];
    struct iovec parts[LONGEST_TRAIN + 2];
    struct virtio_net_hdr told = {0};
    parts[0] = (struct iovec){&told, sizeof told};
    parts[1] = (struct iovec){parcel + 1, parcel->length};
    int count = 2;
    size_t total = parcel->length, head_length = 0, segment = 0;
    if (parcel->checksum_start > 0) {
        told.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        told.csum_start = parcel->checksum_start;
        told.csum_offset = parcel->checksum_offset;
    }
    struct iphdr *ip;
    struct tcphdr *tcp;
    unsigned char *bytes = (unsigned char *)(parcel + 1);
    bool is_stream = parcel->checksum_start > 0 && heads(bytes, parcel->length, &ip, &tcp, &head_length)
                  && head_length <= sizeof head && !tcp->syn && !tcp->rst && !tcp->urg && tcp->ack;
    bool may_go_on = is_stream && !tcp->fin && !tcp->psh && (segment = parcel->length - head_length) > 0;
    bool pushes = false, ends = false;
    drop_first(way, parcel);
    while (may_go_on && count < LONGEST_TRAIN + 1 && (parcel = first(way)) != NULL && parcel->due <= time) {
        unsigned char *next = (unsigned char *)(parcel + 1);
        uint32_t sequence = ntohl(tcp->seq) + (uint32_t)(total - head_length);
        if (parcel->length <= head_length || parcel->length > head_length + segment || total + segment > LARGEST_TRAIN
            || !goes_on(bytes, head_length, next, sequence))
            break;
        struct tcphdr *next_tcp = (struct tcphdr *)(next + (size_t)ip->ihl * 4);
        size_t length = parcel->length - head_length;
        parts[count++] = (struct iovec){next + head_length, length};
        total += length;
        pushes = next_tcp->psh;
        ends = next_tcp->fin;
        may_go_on = length == segment && !pushes && !ends;
        drop_first(way, parcel);
    }
    if (count > 2) {
        memcpy(head, bytes, head_length);
        parts[1] = (struct iovec){bytes + head_length, segment};
        memmove(parts + 2, parts + 1, (size_t)(count - 1) * sizeof *parts);
        parts[1] = (struct iovec){head, head_length};
        count++;
        struct tcphdr *joined = (struct tcphdr *)(head + (size_t)ip->ihl * 4);
        joined->psh = pushes;
        joined->fin = ends;
        seal((struct iphdr *)head, total);
        told.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        told.gso_size = (uint16_t)segment;
        told.hdr_len = (uint16_t)head_length;
    }
    size_t carried = count > 2 ? total + head_length * (size_t)(count - 3) : total;
    if (writev(way->to, parts, count) < 0) {
        way->refused++;
        return;
    }
    int64_t bin = (time - line->marked_at) / BIN;
    if (bin >= 0 && bin < BIN_COUNT) way->bins[bin] += carried;
}

// Hands over what is due; returns when the next packet will be.
static nanoseconds hand_over(struct line *line, struct direction *way) {
    for (struct parcel *parcel; (parcel = first(way)) != NULL;) {
        nanoseconds time = now();
        if (parcel->due > time) return parcel->due;
        hand_over_train(line, way, time);
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
    nanoseconds last = 0;
    while (true) {
        nanoseconds next = hand_over(line, there), next_back = hand_over(line, back);
        if (next_back < next) next = next_back;
        if (next != INT64_MAX) {
            // Something is on its way: look at the next tick, whoever has sent something meanwhile.
            nanoseconds end = last + line->tick;
            struct timespec tick = {.tv_sec = end / SECOND, .tv_nsec = end % SECOND};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL);
        }
        struct timespec bound = {.tv_sec = next == INT64_MAX ? 1 : 0};
        int ready = ppoll(polled, 3, &bound, NULL);
        if (ready < 0 && errno != EINTR) fail("poll");
        last = now();
        if (ready <= 0) continue;
        if (polled[0].revents) take(line, there);
        if (polled[1].revents) take(line, back);
        if (polled[2].revents && !listen_to_input(line)) return;
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
    line.tick = (nanoseconds)(line.nanoseconds_per_byte * LARGEST_PACKET * PACKETS_IN_A_TICK);
    if (line.tick < SHORTEST_TICK) line.tick = SHORTEST_TICK;
    if (line.tick > LONGEST_TICK) line.tick = LONGEST_TICK;
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
