/* CRC-16/XMODEM: polynomial 0x1021, from 0, bits from the top, nothing reflected. */
#ifndef FL_HASH_CRC16_H
#define FL_HASH_CRC16_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` may be NULL when len is 0. A few ns a byte. */
uint16_t fl_crc16_xmodem(const void *bytes, size_t len);

#endif
