/* Every place where one key or seed feeds more than one decision has a salt here, so that no
 * two decisions share bits. The values are digits of pi; all that matters is that they differ.
 * Changing one moves keys: they are part of mapping version 1. */
#ifndef FL_HASH_SALT_H
#define FL_HASH_SALT_H

#define FL_SALT_NODE    0x243f6a8885a308d3u /* names of nodes */
#define FL_SALT_ROW     0x13198a2e03707344u /* rows of a table, acting as keys */
#define FL_SALT_POINT   0xa4093822299f31d0u /* points of a ring */
#define FL_SALT_LOW     0x082efa98ec4e6c89u /* low half of a score */
#define FL_SALT_ATTEMPT 0x452821e638d01377u /* further owners where the order runs out */
#define FL_SALT_OFFSET  0x24a19947b3916cf7u /* where a node's permutation of rows starts */
#define FL_SALT_SKIP    0x0801f2e2858efc16u /* its step */
#define FL_SALT_PROBE   0xba7c9045f12c7f99u /* step between a key's probes; odd */
#define FL_SALT_JUMP    0x9c30d5392af26013u /* step between draws of jumpback; odd */
#define FL_SALT_SAMPLE  0xbe5466cf34e90c6cu /* keys that stand for the key space */
#define FL_SALT_DIGEST  0xc0ac29b7c97c50ddu /* digests of placements */
#define FL_SALT_CANARY  0x3f84d5b5b5470917u /* share of keys that go to a canary */
#define FL_SALT_ZONE    0x9216d5d98979fb1bu /* choice of a zone */
#define FL_SALT_RAMP    0xd1310ba698dfb5acu /* warm-up gate of a node */
#define FL_SALT_SPREAD  0x2ffd72dbd01adfb7u /* spreading of a hot key */
#define FL_SALT_DRAW    0x636920d871574e69u /* draws of dx */
#define FL_SALT_ANCHOR  0x7b54a41dc25a59b5u /* rehashing at a removed slot of anchor */

#endif
