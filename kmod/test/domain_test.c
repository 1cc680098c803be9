// SPDX-License-Identifier: GPL-2.0
/*
 * DMA domains: scenario S21, contract section H.
 *
 * A pair is two adapters of two devices, which are in two groups where there
 * is an IOMMU. The mock bus masters reach memory through the translation of
 * their own device, so what one finds at the address of the other is shared.
 * Without an IOMMU there are no domains, and the cases show that.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include "buffer.h"
#include "hooks.h"
#include "incoherent.h"
#include "request.h"

#define LENGTH	(3 * (ULONG)PAGE_SIZE)

/**
 * struct pair - two devices
 * @t: the case
 * @a: whose domain it is
 * @b: who joins
 * @domain: of @a
 */
struct pair {
	struct nttest *t;
	struct rig *a;
	struct rig *b;
	HANDLE domain;
};

/**
 * struct shared - a buffer of a domain
 * @r: who allocated it
 * @length: in bytes
 * @la: address for the devices
 * @va: address for the CPU
 */
struct shared {
	struct rig *r;
	ULONG length;
	PHYSICAL_ADDRESS la;
	PVOID va;
};

static const struct rig_kind *wide = &rig_wide[0];
static const struct rig_kind *narrow = &rig_narrow[0];

static bool translated(const struct nttest *t)
{
	return dma_get_merge_boundary(t->dev);
}

static HANDLE domain_of(const struct rig *r)
{
	return r->ops->GetDmaDomain(r->adapter);
}

static NTSTATUS join(const struct rig *r, HANDLE domain)
{
	return r->ops->JoinDmaDomain(r->adapter, domain);
}

static NTSTATUS leave(const struct rig *r)
{
	return r->ops->LeaveDmaDomain(r->adapter);
}

static void pair_close(struct pair *p)
{
	if (p->b)
		rig_close(p->b);
	if (p->a)
		rig_close(p->a);
}

static bool pair_open_on(struct pair *p, struct nttest *t,
			 struct device *a, const struct rig_kind *kind_a,
			 struct device *b, const struct rig_kind *kind_b)
{
	*p = (struct pair){ .t = t };
	p->a = rig_open_on(t, a, kind_a);
	p->b = p->a ? rig_open_on(t, b, kind_b) : NULL;
	if (p->b)
		p->domain = domain_of(p->a);
	if (EXPECT(t, p->domain))
		return true;
	pair_close(p);
	return false;
}

/* Not joined yet. False with the case skipped or failed. */
static bool pair_open(struct pair *p, struct nttest *t,
		      const struct rig_kind *a, const struct rig_kind *b)
{
	if (!t->peer)
		nttest_skip(t, "one edu device only");
	else if (!translated(t))
		nttest_skip(t, "no IOMMU");
	else
		return pair_open_on(p, t, t->dev, a, t->peer, b);
	return false;
}

/*
 * The same with two devices of one group. Adapters that were put would still
 * say where their window is: nothing is left of them once the device is unbound.
 */
static bool pair_open_twins(struct pair *p, struct nttest *t,
			    const struct rig_kind *a, const struct rig_kind *b)
{
	if (!t->twins[0])
		nttest_skip(t, "no two devices of one IOMMU group");
	else if (!dma_get_merge_boundary(t->twins[0]))
		nttest_skip(t, "no IOMMU");
	else if (EXPECT(t, nttest_rebind(t->twins[0])) &&
		 EXPECT(t, nttest_rebind(t->twins[1])))
		return pair_open_on(p, t, t->twins[0], a, t->twins[1], b);
	return false;
}

static bool pair_join(struct pair *p, struct nttest *t,
		      const struct rig_kind *a, const struct rig_kind *b)
{
	if (!pair_open(p, t, a, b))
		return false;
	if (EXPECT_EQ(t, join(p->b, p->domain), STATUS_SUCCESS))
		return true;
	pair_close(p);
	return false;
}

static NTSTATUS shared_try(struct shared *s, struct rig *r, HANDLE domain,
			   ULONG length)
{
	s->r = r;
	s->length = length;
	return r->ops->AllocateDomainCommonBuffer(r->adapter, domain, NULL,
						  length, 0, NULL,
						  MM_ANY_NODE_OK, &s->la,
						  &s->va);
}

static bool shared_get(struct shared *s, struct rig *r, HANDLE domain,
		       ULONG length)
{
	struct nttest *t = r->t;

	return EXPECT_EQ(t, shared_try(s, r, domain, length),
			 STATUS_SUCCESS) &&
	       EXPECT(t, s->va) && EXPECT(t, !offset_in_page(s->va)) &&
	       EXPECT(t, !offset_in_page(s->la.QuadPart)) &&
	       EXPECT(t, !memchr_inv(s->va, 0, length));
}

static void shared_put(struct shared *s)
{
	s->r->ops->FreeCommonBuffer(s->r->adapter, s->length, s->la, s->va,
				    TRUE);
}

/* Whether a device reaches the first and the last byte of a buffer. */
static bool reaches(const struct shared *s, const struct rig *r)
{
	u8 byte;

	return !bus_read(&r->bus, s->la.QuadPart, &byte, 1) &&
	       !bus_read(&r->bus, s->la.QuadPart + s->length - 1, &byte, 1);
}

/* What one device writes the other reads, and the CPU sees it. */
static void pass_on(struct shared *s, const struct rig *from,
		    const struct rig *to, u32 seed)
{
	struct nttest *t = from->t;
	u8 *image = kvmalloc(2 * s->length, GFP_KERNEL);
	u8 *seen = image + s->length;

	if (!EXPECT(t, image))
		return;
	pattern_fill(image, s->length, seed);
	EXPECT_EQ(t, bus_write(&from->bus, s->la.QuadPart, image, s->length),
		  0);
	EXPECT_EQ(t, bus_read(&to->bus, s->la.QuadPart, seen, s->length), 0);
	pattern_same(t, "the other device", seen, image, s->length);
	pattern_same(t, "the processor", s->va, image, s->length);
	kvfree(image);
}

/* A transfer over the buffer has the buffer's own address. */
static void as_list(struct shared *s, struct rig *r)
{
	struct nttest *t = r->t;
	PMDL mdl = IoAllocateMdl(s->va, s->length, FALSE, FALSE, NULL);
	struct request *q;

	REQUIRE(t, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	q = request_new(r, mdl, 0, s->length, true);
	if (EXPECT(t, q && request_list(q, BY_GET))) {
		EXPECT_EQ(t, q->list->NumberOfElements, 1);
		EXPECT_EQ(t, q->list->Elements[0].Address.QuadPart,
			  s->la.QuadPart);
		request_put(q);
	}
	if (q)
		request_free(q);
	IoFreeMdl(mdl);
}

static void share(struct pair *p, struct rig *owner, ULONG length)
{
	struct shared s;

	if (!shared_get(&s, owner, p->domain, length))
		return;
	EXPECT(p->t, s.la.QuadPart + length - 1 <= p->a->bus.last);
	EXPECT(p->t, s.la.QuadPart + length - 1 <= p->b->bus.last);
	pass_on(&s, p->a, p->b, 1);
	pass_on(&s, p->b, p->a, 2);
	if (length < SZ_1M) {
		as_list(&s, p->a);
		as_list(&s, p->b);
	}
	shared_put(&s);
	EXPECT(p->t, !reaches(&s, p->a));
	EXPECT(p->t, !reaches(&s, p->b));
}

static void s21_of(struct nttest *t, const struct rig_kind *kind)
{
	struct pair p;
	HANDLE own;

	if (!pair_open(&p, t, kind, kind))
		return;
	EXPECT(t, domain_of(p.a) == p.domain);
	own = domain_of(p.b);
	EXPECT(t, own && own != p.domain);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	EXPECT(t, domain_of(p.b) == p.domain);
	share(&p, p.a, 1);
	share(&p, p.a, LENGTH);
	share(&p, p.b, LENGTH);
	share(&p, p.b, SZ_1M);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT(t, domain_of(p.b) == own);
	EXPECT(t, domain_of(p.a) == p.domain);
	pair_close(&p);
}

static void s21(struct nttest *t)
{
	s21_of(t, wide);
	if (!t->skipped)
		s21_of(t, narrow);
}

/* Nothing translates: there is no domain, and nothing to join. */
static void untranslated(struct nttest *t, struct rig *r)
{
	struct shared s = { .va = r };

	if (translated(t)) {
		nttest_skip(t, "there is an IOMMU");
		return;
	}
	EXPECT(t, !domain_of(r));
	EXPECT_EQ(t, join(r, NULL), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, join(r, r), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, leave(r), STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, shared_try(&s, r, NULL, 1), STATUS_INVALID_HANDLE);
	EXPECT(t, !s.va);
}

/* The window of a wide device is out of a narrow one's reach. */
static void mixed(struct nttest *t)
{
	struct pair p;

	if (!pair_open(&p, t, wide, narrow))
		return;
	/* The wide one comes down; the narrow one cannot come up. */
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_NOT_SUPPORTED);
	p.domain = domain_of(p.b);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_SUCCESS);
	share(&p, p.a, LENGTH);
	share(&p, p.b, SZ_1M);
	EXPECT_EQ(t, leave(p.a), STATUS_SUCCESS);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_SUCCESS);
	share(&p, p.b, LENGTH);
	pair_close(&p);
}

/* A domain is offered to a device that nothing translates for. */
static void beside(struct nttest *t)
{
	struct device *dev = incoherent_device();
	struct shared s = { .va = t };
	struct rig *other;
	struct pair p;

	if (!dev) {
		nttest_skip(t, "no device of our own");
		return;
	}
	if (!pair_join(&p, t, wide, wide))
		return;
	other = rig_open_on(t, dev, wide);
	if (other) {
		EXPECT(t, !domain_of(other));
		EXPECT_EQ(t, join(other, p.domain), STATUS_NOT_SUPPORTED);
		EXPECT_EQ(t, leave(other), STATUS_INVALID_DEVICE_STATE);
		EXPECT_EQ(t, shared_try(&s, other, p.domain, 1),
			  STATUS_INVALID_PARAMETER);
		EXPECT(t, !s.va);
		EXPECT(t, !domain_of(other));
		rig_close(other);
	}
	share(&p, p.a, LENGTH);
	pair_close(&p);
}

/* The same memory would be cached for one and not for the other. */
static void apart(struct nttest *t)
{
	struct shared s;
	struct pair p;
	HANDLE own;

	if (!dev_is_dma_coherent(t->dev)) {
		nttest_skip(t, "no coherent device");
		return;
	}
	/* What the peer is from now on, adapters that are open or not. */
	ntdma_shares_no_cache(t->peer);
	if (!pair_open(&p, t, wide, wide))
		goto restore;
	own = domain_of(p.b);
	EXPECT(t, own);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, join(p.a, own), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, shared_try(&s, p.b, p.domain, 1),
		  STATUS_INVALID_PARAMETER);
	EXPECT(t, domain_of(p.a) == p.domain && domain_of(p.b) == own);
	if (shared_get(&s, p.b, own, LENGTH)) {
		EXPECT(t, !reaches(&s, p.a));
		pass_on(&s, p.b, p.b, 18);
		shared_put(&s);
	}
	pair_close(&p);
restore:
	ntdma_shares_no_cache(incoherent_device());
}

static void bad_handles(struct nttest *t, struct rig *r)
{
	struct shared s = { .va = r };
	HANDLE own = domain_of(r);

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	EXPECT_EQ(t, join(r, NULL), STATUS_INVALID_HANDLE);
	EXPECT_EQ(t, join(r, r), STATUS_INVALID_HANDLE);
	EXPECT_EQ(t, join(r, r->adapter), STATUS_INVALID_HANDLE);
	EXPECT_EQ(t, join(r, own), STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, leave(r), STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, shared_try(&s, r, NULL, 1), STATUS_INVALID_HANDLE);
	EXPECT(t, !s.va);
	s.va = r;
	EXPECT_EQ(t, shared_try(&s, r, r, 1), STATUS_INVALID_HANDLE);
	EXPECT(t, !s.va);
	EXPECT(t, domain_of(r) == own);
}

static void bad_members(struct nttest *t)
{
	struct request *q, *held;
	struct buffer *b;
	struct shared s;
	struct pair p;

	if (!pair_open(&p, t, wide, wide))
		return;
	EXPECT_EQ(t, shared_try(&s, p.b, p.domain, 1),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT_EQ(t, leave(p.b), STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, shared_try(&s, p.b, p.domain, 1),
		  STATUS_INVALID_PARAMETER);
	/* A buffer, a list or registers are in the way. */
	REQUIRE(t, shared_get(&s, p.b, domain_of(p.b), 1));
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INVALID_DEVICE_STATE);
	shared_put(&s);
	b = buffer_new(p.b, SCATTERED, 0x20, PAGE_SIZE);
	q = b ? request_new(p.b, b->mdl, 0, b->length, false) : NULL;
	REQUIRE(t, q && request_list(q, BY_GET));
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INVALID_DEVICE_STATE);
	request_put(q);
	held = request_hold(p.b);
	REQUIRE(t, held);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INVALID_DEVICE_STATE);
	request_release(held);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	pair_close(&p);
}

static NTSTATUS allocate(struct rig *r, PHYSICAL_ADDRESS *max, ULONG length,
			 MEMORY_CACHING_TYPE *type, PHYSICAL_ADDRESS *la,
			 PVOID *va)
{
	return r->ops->AllocateDomainCommonBuffer(r->adapter, domain_of(r),
						  max, length, 0, type, 0, la,
						  va);
}

static void bad_buffers(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE combined = MmWriteCombined;
	PHYSICAL_ADDRESS max, la;
	PVOID va;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	EXPECT_EQ(t, allocate(r, NULL, 0, NULL, &la, &va),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, allocate(r, NULL, 1, NULL, NULL, &va),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, allocate(r, NULL, 1, NULL, &la, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, allocate(r, NULL, 1, &combined, &la, &va),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, allocate(r, NULL, U32_MAX, NULL, &la, &va),
		  STATUS_INSUFFICIENT_RESOURCES);
	for (max.QuadPart = 0; max.QuadPart < SZ_64K;
	     max.QuadPart += SZ_4K - 1)
		EXPECT_EQ(t, allocate(r, &max, 1, NULL, &la, &va),
			  STATUS_INSUFFICIENT_RESOURCES);
	EXPECT(t, !va);
}

static void limits(struct nttest *t)
{
	MEMORY_CACHING_TYPE types[] = { MmNonCached, MmCached };
	PHYSICAL_ADDRESS max, la;
	struct shared s;
	struct pair p;
	PVOID va;
	int i;

	if (!pair_join(&p, t, narrow, narrow))
		return;
	REQUIRE(t, shared_get(&s, p.a, p.domain, PAGE_SIZE));
	shared_put(&s);
	/* Exactly the lowest one, which was free a moment ago. */
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		max.QuadPart = s.la.QuadPart + PAGE_SIZE;
		EXPECT_EQ(t, allocate(p.b, &max, 1, &types[i], &la, &va), 0);
		EXPECT_EQ(t, la.QuadPart, s.la.QuadPart);
		if (va)
			p.b->ops->FreeCommonBuffer(p.b->adapter, 1, la, va,
						   TRUE);
		max.QuadPart--;
		EXPECT_EQ(t, allocate(p.b, &max, 1, NULL, &la, &va),
			  STATUS_INSUFFICIENT_RESOURCES);
	}
	pair_close(&p);
}

/* What a driver asks for whose devices have registers of 32 bits. */
static void low_limit(struct nttest *t)
{
	PHYSICAL_ADDRESS max = { .QuadPart = U32_MAX }, la;
	struct pair p;
	PVOID va;

	if (!pair_join(&p, t, wide, wide))
		return;
	EXPECT_EQ(t, allocate(p.b, &max, LENGTH, NULL, &la, &va), 0);
	if (va) {
		EXPECT(t, la.QuadPart + LENGTH <= U32_MAX);
		p.b->ops->FreeCommonBuffer(p.b->adapter, LENGTH, la, va, TRUE);
	}
	pair_close(&p);
}

static void live_join(struct nttest *t)
{
	struct shared s, u;
	struct pair p;

	if (!pair_open(&p, t, narrow, narrow))
		return;
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	REQUIRE(t, shared_get(&u, p.a, p.domain, 1));
	EXPECT(t, reaches(&s, p.a) && !reaches(&s, p.b));
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	pass_on(&s, p.a, p.b, 3);
	pass_on(&u, p.b, p.a, 4);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT(t, reaches(&s, p.a) && !reaches(&s, p.b));
	EXPECT(t, reaches(&u, p.a) && !reaches(&u, p.b));
	shared_put(&u);
	shared_put(&s);
	pair_close(&p);
}

/* These very addresses, for another adapter. */
static PVOID occupy(struct rig *r, const struct shared *s)
{
	PHYSICAL_ADDRESS min, max, la;

	min.QuadPart = s->la.QuadPart;
	max.QuadPart = s->la.QuadPart + s->length;
	return r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, &max,
						      s->length, 0, NULL,
						      MM_ANY_NODE_OK, &la);
}

/* Something of the joiner's has the address of what is shared. */
static void conflict(struct nttest *t)
{
	struct shared s, u, w;
	struct rig *other;
	struct pair p;
	PVOID va;

	if (!pair_open(&p, t, narrow, narrow))
		return;
	other = rig_open_on(t, t->peer, narrow);
	REQUIRE(t, other);
	REQUIRE(t, shared_get(&u, p.a, p.domain, 1));
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	REQUIRE(t, shared_get(&w, p.a, p.domain, 1));
	va = occupy(other, &s);
	REQUIRE(t, va);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT(t, domain_of(p.b) != p.domain);
	/* Whichever of them is mapped first. */
	EXPECT(t, !reaches(&u, p.b) && !reaches(&w, p.b));
	other->ops->FreeCommonBuffer(other->adapter, LENGTH, s.la, va, TRUE);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	EXPECT(t, reaches(&u, p.b) && reaches(&w, p.b));
	shared_put(&w);
	shared_put(&s);
	va = occupy(other, &s);
	if (EXPECT(t, va)) {
		/* A new buffer keeps out of the way. */
		share(&p, p.a, LENGTH);
		other->ops->FreeCommonBuffer(other->adapter, LENGTH, s.la, va,
					     TRUE);
	}
	shared_put(&u);
	rig_close(other);
	pair_close(&p);
}

/* A pair that has joined, and a buffer of who did. */
static bool pair_share(struct pair *p, struct nttest *t, struct shared *s)
{
	return pair_join(p, t, wide, wide) &&
	       shared_get(s, p->b, p->domain, LENGTH);
}

static void live_leave(struct nttest *t)
{
	struct shared s;
	struct pair p;

	if (!pair_share(&p, t, &s))
		return;
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT(t, reaches(&s, p.a) && !reaches(&s, p.b));
	pass_on(&s, p.a, p.a, 5);
	shared_put(&s);
	EXPECT(t, !reaches(&s, p.a));
	pair_close(&p);
}

static void ec_173(struct nttest *t)
{
	PHYSICAL_ADDRESS wrong;
	struct shared s;
	struct pair p;

	if (!pair_join(&p, t, wide, wide))
		return;
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	wrong.QuadPart = s.la.QuadPart + 1;
	p.a->ops->FreeCommonBuffer(p.a->adapter, LENGTH - 1, s.la, s.va, TRUE);
	p.a->ops->FreeCommonBuffer(p.a->adapter, LENGTH, wrong, s.va, TRUE);
	p.b->ops->FreeCommonBuffer(p.b->adapter, LENGTH, s.la, s.va, TRUE);
	pass_on(&s, p.b, p.a, 6);
	shared_put(&s);
	EXPECT(t, !reaches(&s, p.a) && !reaches(&s, p.b));
	shared_put(&s);
	pair_close(&p);
}

/* Adapters of one device are members of one domain. */
static void siblings(struct nttest *t)
{
	struct rig *other;
	struct shared s;
	struct pair p;

	if (!pair_join(&p, t, wide, wide))
		return;
	other = rig_open(t, wide);
	REQUIRE(t, other);
	EXPECT(t, domain_of(other) == p.domain);
	EXPECT_EQ(t, join(other, p.domain), STATUS_INVALID_DEVICE_STATE);
	REQUIRE(t, shared_get(&s, other, p.domain, LENGTH));
	pass_on(&s, p.b, p.a, 7);
	shared_put(&s);
	rig_close(other);
	/* Two of the joiner's: the first to leave takes nothing away. */
	other = rig_open_on(t, t->peer, wide);
	REQUIRE(t, other);
	EXPECT_EQ(t, join(other, p.domain), STATUS_SUCCESS);
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT(t, reaches(&s, p.b));
	EXPECT_EQ(t, leave(other), STATUS_SUCCESS);
	EXPECT(t, !reaches(&s, p.b));
	shared_put(&s);
	rig_close(other);
	pair_close(&p);
}

static int home_gone(void *arg)
{
	struct pair *p = arg;

	return dma_get_mask(p->t->dev) == p->t->mask;
}

/* Such a pair without the device that the domain belonged to. */
static bool pair_orphan(struct pair *p, struct nttest *t, struct shared *s)
{
	if (!pair_share(p, t, s))
		return false;
	rig_close(p->a);
	return EXPECT(t, rig_wait(home_gone, p));
}

/* The domain goes on. */
static void orphan(struct nttest *t)
{
	struct rig *other;
	struct shared s;
	struct pair p;

	if (!pair_orphan(&p, t, &s))
		return;
	EXPECT(t, domain_of(p.b) == p.domain);
	EXPECT(t, reaches(&s, p.b));
	p.a = rig_open(t, wide);
	REQUIRE(t, p.a);
	EXPECT(t, !reaches(&s, p.a));
	EXPECT(t, domain_of(p.a) != p.domain);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_SUCCESS);
	pass_on(&s, p.a, p.b, 8);
	shared_put(&s);
	share(&p, p.a, LENGTH);
	/* The last to leave ends it. */
	EXPECT_EQ(t, leave(p.a), STATUS_SUCCESS);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_INVALID_HANDLE);
	other = p.a;
	p.a = NULL;
	rig_close(other);
	pair_close(&p);
}

/* A buffer keeps the domain, also when nobody is a member any more. */
static void kept(struct nttest *t)
{
	struct shared s;
	struct pair p;

	if (!pair_orphan(&p, t, &s))
		return;
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	EXPECT(t, !reaches(&s, p.b));
	p.a = rig_open(t, wide);
	REQUIRE(t, p.a);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_SUCCESS);
	EXPECT(t, domain_of(p.a) == p.domain);
	pass_on(&s, p.a, p.a, 19);
	EXPECT_EQ(t, leave(p.a), STATUS_SUCCESS);
	EXPECT(t, !reaches(&s, p.a));
	shared_put(&s);
	EXPECT_EQ(t, join(p.a, p.domain), STATUS_INVALID_HANDLE);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_INVALID_HANDLE);
	pair_close(&p);
}

/* Lists that are mapped meanwhile do not care. */
static void transfer(struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x123, 4 * PAGE_SIZE);

	REQUIRE(r->t, b);
	request_transfer(r, b->mdl, 0, b->length, true, BY_GET);
	request_transfer(r, b->mdl, 0, b->length, false, BY_GET);
	buffer_free(b);
}

static void transfers(struct nttest *t)
{
	struct shared s;
	struct pair p;

	if (!pair_open(&p, t, narrow, narrow))
		return;
	transfer(p.b);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	transfer(p.b);
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	transfer(p.b);
	transfer(p.a);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	transfer(p.b);
	shared_put(&s);
	pair_close(&p);
}

/* A member loses its driver with everything that it has. */
static void unbound(struct nttest *t)
{
	struct shared s, u;
	struct pair p;

	if (!pair_join(&p, t, wide, wide))
		return;
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	REQUIRE(t, shared_get(&u, p.b, p.domain, LENGTH));
	pass_on(&s, p.a, p.b, 9);
	pass_on(&u, p.a, p.b, 10);
	EXPECT(t, nttest_rebind(t->peer));
	EXPECT(t, !reaches(&u, p.a));
	pass_on(&s, p.a, p.a, 11);
	p.b->adapter = NULL;
	rig_close(p.b);
	p.b = rig_open_on(t, t->peer, wide);
	REQUIRE(t, p.b);
	EXPECT(t, !reaches(&s, p.b));
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	pass_on(&s, p.b, p.a, 12);
	shared_put(&s);
	pair_close(&p);
}

/* The home loses its driver; what the joiner shared stays the joiner's. */
static void home_unbound(struct nttest *t)
{
	struct shared s, u;
	struct rig *swap;
	struct pair p;

	if (!pair_open(&p, t, wide, wide))
		return;
	swap = p.a;
	p.a = p.b;
	p.b = swap;
	p.domain = domain_of(p.a);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	REQUIRE(t, shared_get(&u, p.b, p.domain, LENGTH));
	EXPECT(t, nttest_rebind(t->peer));
	p.a->adapter = NULL;
	EXPECT(t, !reaches(&s, p.b));
	EXPECT(t, reaches(&u, p.b));
	EXPECT(t, domain_of(p.b) == p.domain);
	shared_put(&u);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	pair_close(&p);
}

/* Each allocation and each mapping of the routines fails in turn. */
static void failures(struct nttest *t)
{
	struct shared s, u;
	NTSTATUS status;
	struct pair p;
	bool hit = true;
	int nth;

	if (!pair_open(&p, t, narrow, narrow))
		return;
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	for (nth = 1; hit && nth < 200 && !t->failed; nth++) {
		ntdma_fail_nth(nth);
		status = join(p.b, p.domain);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, status, hit ? STATUS_INSUFFICIENT_RESOURCES : 0);
		EXPECT_EQ(t, domain_of(p.b) == p.domain, !hit);
		EXPECT_EQ(t, reaches(&s, p.b), !hit);
	}
	EXPECT(t, !hit && nth > 3);
	hit = true;
	for (nth = 1; hit && nth < 200 && !t->failed; nth++) {
		ntdma_fail_nth(nth);
		status = shared_try(&u, p.b, p.domain, LENGTH);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, status, hit ? STATUS_INSUFFICIENT_RESOURCES : 0);
		EXPECT_EQ(t, !u.va, hit);
	}
	EXPECT(t, !hit && nth > 5);
	if (EXPECT(t, u.va)) {
		pass_on(&u, p.a, p.b, 13);
		shared_put(&u);
	}
	shared_put(&s);
	pair_close(&p);
}

/* ---- Devices of one IOMMU group, which have one translation ---- */

/* What one of them unmaps is gone for both, and not before. */
static void twins(struct nttest *t)
{
	struct shared s;
	struct pair p;

	if (!pair_open_twins(&p, t, narrow, narrow))
		return;
	EXPECT(t, domain_of(p.b) != p.domain);
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	EXPECT(t, domain_of(p.b) == p.domain);
	pass_on(&s, p.a, p.b, 14);
	as_list(&s, p.b);
	EXPECT_EQ(t, leave(p.b), STATUS_SUCCESS);
	pass_on(&s, p.a, p.a, 15);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	transfer(p.a);
	transfer(p.b);
	share(&p, p.b, LENGTH);
	pass_on(&s, p.b, p.a, 16);
	shared_put(&s);
	EXPECT(t, !reaches(&s, p.a) && !reaches(&s, p.b));
	pair_close(&p);
}

#define WINDOW	((1ULL << 28) - SZ_16M)	/* an address in a narrow one's */

static PVOID in_window(struct rig *r, u64 at, PHYSICAL_ADDRESS *la)
{
	PHYSICAL_ADDRESS min = { .QuadPart = at };
	PHYSICAL_ADDRESS max = { .QuadPart = at + PAGE_SIZE };

	return r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, &max,
						      1, 0, NULL,
						      MM_ANY_NODE_OK, la);
}

static int no_window(void *arg)
{
	struct rig *r = arg;
	PHYSICAL_ADDRESS la;
	PVOID va = in_window(r, WINDOW, &la);

	if (va)
		r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	return !va;
}

/*
 * The DMA API might give the twin any address, so there is no window until it
 * has an adapter, too.
 */
static void strange_twin(struct nttest *t)
{
	struct shared s;
	struct pair p;
	u64 mask;

	if (!pair_open_twins(&p, t, narrow, narrow))
		return;
	EXPECT(t, !no_window(p.a) && !no_window(p.b));
	/* Nor while its driver lets the DMA API go higher. */
	mask = dma_get_mask(t->twins[1]);
	*t->twins[1]->dma_mask = DMA_BIT_MASK(32);
	EXPECT(t, no_window(p.a));
	*t->twins[1]->dma_mask = mask;
	EXPECT(t, !no_window(p.a));
	rig_close(p.b);
	p.b = NULL;
	EXPECT(t, rig_wait(no_window, p.a));
	EXPECT_EQ(t, shared_try(&s, p.a, p.domain, 1),
		  STATUS_INSUFFICIENT_RESOURCES);
	p.b = rig_open_on(t, t->twins[1], narrow);
	REQUIRE(t, p.b);
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	share(&p, p.a, LENGTH);
	pair_close(&p);
}

/* There is one window: where the first of them put it. */
static void mixed_twins(struct nttest *t)
{
	struct rig *other;
	struct shared s;
	struct pair p;

	if (!pair_open_twins(&p, t, wide, narrow))
		return;
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, join(p.a, domain_of(p.b)), STATUS_NOT_SUPPORTED);
	EXPECT_EQ(t, shared_try(&s, p.b, domain_of(p.b), 1),
		  STATUS_INSUFFICIENT_RESOURCES);
	REQUIRE(t, shared_get(&s, p.a, p.domain, LENGTH));
	pass_on(&s, p.a, p.a, 17);
	transfer(p.b);
	shared_put(&s);
	pair_close(&p);
	if (!pair_open_twins(&p, t, narrow, wide))
		return;
	EXPECT_EQ(t, join(p.b, p.domain), STATUS_SUCCESS);
	share(&p, p.b, LENGTH);
	transfer(p.b);
	pair_close(&p);
	/* It does not come down for one of them. */
	if (!pair_open_twins(&p, t, wide, wide))
		return;
	other = rig_open(t, narrow);
	REQUIRE(t, other);
	EXPECT_EQ(t, join(p.a, domain_of(other)), STATUS_INVALID_DEVICE_STATE);
	rig_close(other);
	pair_close(&p);
}

static const struct nttest_case cases[] = {
	{ "S21 EC-191 EC-193 two devices share an address", s21 },
	{ "S21 EC-192 EC-194 EC-196 no domain without an IOMMU",
	  .run_on = untranslated },
	{ "S21 a wide device joins a narrow one, not vice versa", mixed },
	{ "S21 EC-194 bad input: a device without an IOMMU", beside },
	{ "S21 EC-194 bad input: a coherent device and one that is not", apart },
	{ "EC-192 EC-194 EC-196 bad input: handles", .run_on = bad_handles,
	  .kinds = rig_lists },
	{ "S21 bad input: members", bad_members },
	{ "EC-193 bad input: buffers", .run_on = bad_buffers,
	  .kinds = rig_lists },
	{ "EC-193 a highest address, kinds of caching", limits },
	{ "EC-193 below 4 GiB in a domain of wide devices", low_limit },
	{ "S21 joined and left with buffers alive", live_join },
	{ "S21 an address that is taken", conflict },
	{ "S21 left by the owner of a buffer", live_leave },
	{ "EC-173 freed by FreeCommonBuffer, once and as allocated", ec_173 },
	{ "S21 adapters of one device", siblings },
	{ "S21 the home goes first", orphan },
	{ "S21 EC-192 a buffer alone keeps the domain", kept },
	{ "S21 transfers before, while and after", transfers },
	{ "S26 a member is unbound", unbound },
	{ "S26 the home is unbound", home_unbound },
	{ "S21 failures of joins and buffers", failures },
	{ "S21 devices of one IOMMU group", twins },
	{ "S21 EC-169 no window while one of a group has no adapter",
	  strange_twin },
	{ "S21 a wide and a narrow device of one IOMMU group", mixed_twins },
	{ }
};

const struct nttest_suite nttest_domain = {
	.name = "domain",
	.cases = cases,
};
