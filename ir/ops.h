/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every IR operation, once.  The enum, the wire checks, the disassembler, the
 * assembler and docs/IR.md are made from this list.  The interpreter, the
 * verifier and the JIT each have a function interp_NAME(), step_NAME() and
 * lower_NAME() per row and a table made from the list too, so a forgotten
 * operation does not link.
 *
 * OP(name, text, shape, widths, effect)
 *   text    mnemonic; written as text[.width][f], e.g. "add.64f r0, r1"
 *   shape   which fields are used (all others must be zero), see op.h
 *   widths  the operand widths allowed, W_NONE when the operation has none
 *   effect  what others can notice, E_* in op.h
 *
 * Meaning (W is the width; regs are 64-bit).  Writing a register at width 8 or
 * 16 keeps its other bits, at 32 clears the upper half: exactly x86.  Flags are
 * the six arithmetic flags of x86 (CF PF AF ZF SF OF), set as the SDM says for
 * the x86 instruction of that name and width.
 */

/* The mark of a guest instruction: imm is its address, off its length in bytes.
 * An operation that "leaves" leaves to the nearest mark before it. */
OP(INSN,    "insn",    MARK,        W_NONE,           E_MARK)

/* Moves. */
OP(MOV,     "mov",     DST_SRC,     W_ALL,            E_RD_SRC | E_WR_DST)
OP(MOVI,    "movi",    DST_IMM,     W_ALL,            E_WR_DST)
OP(ZEXT,    "zext",    DST_SRC,     W_8 | W_16,       E_RD_SRC | E_WR_ALL)	/* dst = (u64)(uW)src */
OP(SEXT32,  "sext32",  DST_SRC,     W_8 | W_16,       E_RD_SRC | E_WR_ALL)	/* dst = (u64)(u32)(sW)src */
OP(SEXT64,  "sext64",  DST_SRC,     W_8 | W_16 | W_32, E_RD_SRC | E_WR_ALL)	/* dst = (s64)(sW)src */
OP(LEA,     "lea",     ADDR,        W_32 | W_64,      E_RD_ADDR | E_WR_ALL)	/* dst = base + (index << scale) + off */

/* Memory.  guard: dst = min(base + (index << scale) + off, LIMIT), by data flow.
 * load/store: [base + (index << scale) + off], base guarded; or base none and imm a constant address <= LIMIT.
 * A fault leaves.  load zero-extends to 64 bits.  storei has no index. */
OP(GUARD,   "guard",   ADDR,        W_NONE,           E_RD_ADDR | E_WR_ALL)
OP(LOAD,    "load",    LOAD,        W_ALL,            E_LEAVES | E_RD_MEM | E_WR_ALL)
OP(LOADS32, "loads32", LOAD,        W_8 | W_16,       E_LEAVES | E_RD_MEM | E_WR_ALL)
OP(LOADS64, "loads64", LOAD,        W_8 | W_16 | W_32, E_LEAVES | E_RD_MEM | E_WR_ALL)
OP(STORE,   "store",   STORE,       W_ALL,            E_LEAVES | E_RD_SRC | E_WR_MEM)
OP(STOREI,  "storei",  STOREI,      W_ALL,            E_LEAVES | E_WR_MEM)	/* imm sign-extended from 32 bits */

/* hold: leaves unless imm <= dst <= LIMIT, imm 0 or UB_HOLD_LOW; dst, a resident guest register, is then a guarded
 * address in place, by data flow (min), its value unchanged.  hold32: leaves unless dst <= 0xffffffff, which then
 * holds by data flow too. */
OP(HOLD,    "hold",    DST_IMM,     W_NONE,           E_LEAVES | E_RD_DST)
OP(HOLD32,  "hold32",  DST,         W_NONE,           E_LEAVES | E_RD_DST)

/* Arithmetic and logic: dst = dst OP src.  With the f suffix the guest's flags are set. */
OP(ADD,     "add",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(SUB,     "sub",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(AND,     "and",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(OR,      "or",      DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(XOR,     "xor",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(ADC,     "adc",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT)
OP(SBB,     "sbb",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT)
OP(CMP,     "cmp",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_FL)
OP(TEST,    "test",    DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_FL)

/* The same with a constant; the constant is sign-extended from 32 bits. */
OP(ADDI,    "addi",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(SUBI,    "subi",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(ANDI,    "andi",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(ORI,     "ori",     DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(XORI,    "xori",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(ADCI,    "adci",    DST_IMM,     W_ALL,            E_RD_DST | E_RD_FL | E_WR_DST | E_F_OPT)
OP(SBBI,    "sbbi",    DST_IMM,     W_ALL,            E_RD_DST | E_RD_FL | E_WR_DST | E_F_OPT)
OP(CMPI,    "cmpi",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_FL)
OP(TESTI,   "testi",   DST_IMM,     W_ALL,            E_RD_DST | E_WR_FL)

/* One operand.  inc and dec keep CF; not touches no flag. */
OP(NEG,     "neg",     DST,         W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(NOT,     "not",     DST,         W_ALL,            E_RD_DST | E_WR_DST)
OP(INC,     "inc",     DST,         W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(DEC,     "dec",     DST,         W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BSWAP,   "bswap",   DST,         W_16 | W_32 | W_64,     E_RD_DST | E_WR_DST)

/* The same on memory: [base + off] = [base + off] OP src, in one access that faults before anything changes.  With the
 * lock suffix atomic; then it also leaves when the operand does not lie within one line of 64 bytes. */
OP(ADDM,    "addm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(SUBM,    "subm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(ANDM,    "andm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(ORM,     "orm",     STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(XORM,    "xorm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(ADCM,    "adcm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_RD_FL | E_F_OPT)
OP(SBBM,    "sbbm",    STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_RD_FL | E_F_OPT)
OP(ADDMI,   "addmi",   STOREI,      W_ALL,            E_MODIFY | E_F_OPT)
OP(SUBMI,   "submi",   STOREI,      W_ALL,            E_MODIFY | E_F_OPT)
OP(ANDMI,   "andmi",   STOREI,      W_ALL,            E_MODIFY | E_F_OPT)
OP(ORMI,    "ormi",    STOREI,      W_ALL,            E_MODIFY | E_F_OPT)
OP(XORMI,   "xormi",   STOREI,      W_ALL,            E_MODIFY | E_F_OPT)
OP(ADCMI,   "adcmi",   STOREI,      W_ALL,            E_MODIFY | E_RD_FL | E_F_OPT)
OP(SBBMI,   "sbbmi",   STOREI,      W_ALL,            E_MODIFY | E_RD_FL | E_F_OPT)
OP(NEGM,    "negm",    MEM,         W_ALL,            E_MODIFY | E_F_OPT)
OP(NOTM,    "notm",    MEM,         W_ALL,            E_MODIFY)
OP(INCM,    "incm",    MEM,         W_ALL,            E_MODIFY | E_F_OPT | E_F_MERGE)
OP(DECM,    "decm",    MEM,         W_ALL,            E_MODIFY | E_F_OPT | E_F_MERGE)

/* Shifts by a constant from 1 to 31, or 63 at width 64 ... */
OP(SHLI,    "shli",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(SHRI,    "shri",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(SARI,    "sari",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT)
OP(ROLI,    "roli",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(RORI,    "rori",    DST_IMM,     W_ALL,            E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
/* ... and by the low 5 bits (6 at width 64) of src, which must be r1 (rcx).  A count of 0 keeps the flags. */
OP(SHL,     "shl",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(SHR,     "shr",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(SAR,     "sar",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(ROL,     "rol",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(ROR,     "ror",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)

/* Rotates through CF, and shifts of dst that take the bits that come in from src; counts as above. */
OP(RCLI,    "rcli",    DST_IMM,     W_ALL,            E_RD_DST | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(RCRI,    "rcri",    DST_IMM,     W_ALL,            E_RD_DST | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(RCL,     "rcl",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(RCR,     "rcr",     DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(SHLDI,   "shldi",   DST_SRC_IMM, W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(SHRDI,   "shrdi",   DST_SRC_IMM, W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(SHLD,    "shld",    DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)	/* by r1 */
OP(SHRD,    "shrd",    DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)

/* One bit of dst, by its number in src modulo the width or by a constant below it: CF = the bit, then it is set, reset
 * or complemented; ZF is kept.  On memory too, within the operand. */
OP(BT,      "bt",      DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_FL)
OP(BTS,     "bts",     DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTR,     "btr",     DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTC,     "btc",     DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTI,     "bti",     DST_IMM,     W_16 | W_32 | W_64, E_RD_DST | E_RD_FL | E_WR_FL)
OP(BTSI,    "btsi",    DST_IMM,     W_16 | W_32 | W_64, E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTRI,    "btri",    DST_IMM,     W_16 | W_32 | W_64, E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTCI,    "btci",    DST_IMM,     W_16 | W_32 | W_64, E_RD_DST | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(BTSM,    "btsm",    STORE,       W_16 | W_32 | W_64, E_MODIFY | E_RD_SRC | E_F_OPT | E_F_MERGE)
OP(BTRM,    "btrm",    STORE,       W_16 | W_32 | W_64, E_MODIFY | E_RD_SRC | E_F_OPT | E_F_MERGE)
OP(BTCM,    "btcm",    STORE,       W_16 | W_32 | W_64, E_MODIFY | E_RD_SRC | E_F_OPT | E_F_MERGE)
OP(BTSMI,   "btsmi",   STOREI,      W_16 | W_32 | W_64, E_MODIFY | E_F_OPT | E_F_MERGE)
OP(BTRMI,   "btrmi",   STOREI,      W_16 | W_32 | W_64, E_MODIFY | E_F_OPT | E_F_MERGE)
OP(BTCMI,   "btcmi",   STOREI,      W_16 | W_32 | W_64, E_MODIFY | E_F_OPT | E_F_MERGE)

/* Counting.  bsf and bsr leave all of dst as it was if src is 0. */
OP(BSF,     "bsf",     DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(BSR,     "bsr",     DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(TZCNT,   "tzcnt",   DST_SRC,     W_16 | W_32 | W_64, E_RD_SRC | E_WR_DST | E_F_OPT)
OP(LZCNT,   "lzcnt",   DST_SRC,     W_16 | W_32 | W_64, E_RD_SRC | E_WR_DST | E_F_OPT)
OP(POPCNT,  "popcnt",  DST_SRC,     W_16 | W_32 | W_64, E_RD_SRC | E_WR_DST | E_F_OPT)
/* All of dst = CRC-32C of src, of the width, on top of the low half of dst. */
OP(CRC32,   "crc32",   DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_ALL)

/* Exchanges.  xadd: src = the old value of memory, memory = the sum.  xchg is atomic without being told.  cmpxchg, on
 * memory or dst: flags of r0 - it; if they are equal it becomes src, else r0 becomes it.  cmpxchg2m the same for a pair
 * of the width: r2:r0, and r3, r1 for src; ZF alone is set; all bytes together must be aligned at width 64. */
OP(XADDM,   "xaddm",   STORE,       W_ALL,            E_MODIFY | E_RD_SRC | E_WR_SRC | E_F_OPT)
OP(XCHGM,   "xchgm",   STORE,       W_ALL,            E_LEAVES | E_RD_MEM | E_WR_MEM | E_RD_SRC | E_WR_SRC)
OP(CMPXCHGM, "cmpxchgm", STORE,     W_ALL,            E_MODIFY | E_RD_SRC | E_F_OPT)
OP(CMPXCHG2M, "cmpxchg2m", MEM,     W_32 | W_64,      E_MODIFY | E_F_OPT | E_F_MERGE)
OP(CMPXCHG, "cmpxchg", DST_SRC,     W_ALL,            E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)

/* BMI1, BMI2 and ADX: dst = src OP reg, each as the x86 instruction of that name; mulx: dst, reg = the high and low half
 * of rdx * src, dst last. */
OP(ANDN,    "andn",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST | E_F_OPT)	/* ~src & reg */
OP(BEXTR,   "bextr",   DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST | E_F_OPT)
OP(BZHI,    "bzhi",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST | E_F_OPT)
OP(PDEP,    "pdep",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST)
OP(PEXT,    "pext",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST)
OP(SHLX,    "shlx",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST)
OP(SHRX,    "shrx",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST)
OP(SARX,    "sarx",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_RD_REG | E_WR_DST)
OP(RORX,    "rorx",    DST_SRC_IMM, W_32 | W_64,      E_RD_SRC | E_WR_DST)
OP(MULX,    "mulx",    DST_SRC_REG, W_32 | W_64,      E_RD_SRC | E_WR_REG | E_WR_DST)
OP(BLSI,    "blsi",    DST_SRC,     W_32 | W_64,      E_RD_SRC | E_WR_DST | E_F_OPT)
OP(BLSMSK,  "blsmsk",  DST_SRC,     W_32 | W_64,      E_RD_SRC | E_WR_DST | E_F_OPT)
OP(BLSR,    "blsr",    DST_SRC,     W_32 | W_64,      E_RD_SRC | E_WR_DST | E_F_OPT)
OP(ADCX,    "adcx",    DST_SRC,     W_32 | W_64,      E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)
OP(ADOX,    "adox",    DST_SRC,     W_32 | W_64,      E_RD_DST | E_RD_SRC | E_RD_FL | E_WR_DST | E_F_OPT | E_F_MERGE)

/* imul: low half.  muli: dst = src * imm.  mulu/muls: rdx:rax = rax * src.
 * divu/divs: rax, rdx = quotient, remainder of rdx:rax / src; a divide error leaves; flags are kept. */
OP(IMUL,    "imul",    DST_SRC,     W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_F_OPT)
OP(IMULI,   "imuli",   DST_SRC_IMM, W_16 | W_32 | W_64, E_RD_SRC | E_WR_DST | E_F_OPT)
OP(MULU,    "mulu",    SRC,         W_ALL,            E_RD_SRC | E_AX_DX | E_F_OPT)
OP(MULS,    "muls",    SRC,         W_ALL,            E_RD_SRC | E_AX_DX | E_F_OPT)
OP(DIVU,    "divu",    SRC,         W_ALL,            E_LEAVES | E_RD_SRC | E_AX_DX)
OP(DIVS,    "divs",    SRC,         W_ALL,            E_LEAVES | E_RD_SRC | E_AX_DX)

/* All flags at once.  getflags: all of dst = RFLAGS as pushfq stores it.  setflags: SF ZF AF PF CF from the bits of src
 * where RFLAGS has them, as sahf.  clc stc cmc: CF alone. */
OP(GETFLAGS, "getflags", DST,       W_NONE,           E_RD_FL | E_WR_ALL)
OP(SETFLAGS, "setflags", SRC,       W_NONE,           E_RD_SRC | E_RD_FL | E_WR_FL)
OP(CLC,     "clc",     NONE,        W_NONE,           E_RD_FL | E_WR_FL)
OP(STC,     "stc",     NONE,        W_NONE,           E_RD_FL | E_WR_FL)
OP(CMC,     "cmc",     NONE,        W_NONE,           E_RD_FL | E_WR_FL)

/* Readers of the guest's flags.  setcc writes 8 bits; cmov at width 32 always clears the upper half. */
OP(SETCC,   "set",     DST_CC,      W_NONE,           E_RD_DST | E_WR_ALL | E_RD_FL)
OP(CMOV,    "cmov",    DST_SRC_CC,  W_16 | W_32 | W_64, E_RD_DST | E_RD_SRC | E_WR_DST | E_RD_FL)

/* rep movs / rep stos with DF clear: rcx elements of W from [rsi] (or rax) to [rdi], rsi/rdi/rcx committed as they go,
 * so leaving in the middle is exact; contains its own check.  Guards its own operands. */
OP(REPMOVS, "repmovs", NONE,        W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM | E_WR_MEM)
OP(REPSTOS, "repstos", NONE,        W_ALL,            E_LEAVES | E_REP | E_CHECK | E_WR_MEM)

/* rep lods: the same, into rax.  repe (repne) cmps, scas: until an element of [rsi], or rax, and one of [rdi] differ (are
 * equal); the flags are those of the last comparison made, and are kept as long as none was or it has not ended. */
OP(REPLODS, "replods", NONE,        W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM)
OP(REPECMPS, "repecmps", NONE,      W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM | E_WR_FL)
OP(REPNECMPS, "repnecmps", NONE,    W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM | E_WR_FL)
OP(REPESCAS, "repescas", NONE,      W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM | E_WR_FL)
OP(REPNESCAS, "repnescas", NONE,    W_ALL,            E_LEAVES | E_REP | E_CHECK | E_RD_MEM | E_WR_FL)

/* fence: 0 lfence, 1 sfence, 2 mfence.  The time stamp counter: rdx:rax = its halves; rdtscp behind all loads before it,
 * with dst = the number of the processor it was read on; rdpid: that alone.  dst is written last, whole. */
OP(FENCE,   "fence",   IMM,         W_NONE,           0)
OP(RDTSC,   "rdtsc",   NONE,        W_NONE,           E_AX_DX)
OP(RDTSCP,  "rdtscp",  DST,         W_NONE,           E_AX_DX | E_WR_ALL)
OP(RDPID,   "rdpid",   DST,         W_NONE,           E_WR_ALL)

/* Control inside the block.  The target is off instructions after the next one.  jeq touches no flag. */
OP(JMP,     "jmp",     TO,          W_NONE,           E_JUMPS | E_ENDS)
OP(JCC,     "j",       CC_TO,       W_NONE,           E_JUMPS | E_RD_FL)
OP(JEQ,     "jeq",     SRC_IMM_TO,  W_NONE,           E_JUMPS | E_RD_SRC)

/* A counter that no register shows: UB_TICKS at entry and behind each check and syscall.  tick takes one off; at zero
 * it goes on at the target, where (behind a mark, if any) a check stands.  Touches no flag. */
OP(TICK,    "tick",    TO,          W_NONE,           E_JUMPS | E_TICK)

/* Leaving.  check: leaves when the kernel has work for the task.  bound: leaves unless src <= LIMIT.
 * exit: the block ends, the guest goes on at imm.  exitto: at src, which bound has passed.
 * syscall: the mark must be a two-byte syscall instruction; leaves unless the low half of rax is imm and
 * the call may be made here; else rax = result, rcx = mark + 2, r11 = flags, temporaries unwritten. */
OP(CHECK,   "check",   NONE,        W_NONE,           E_LEAVES | E_CHECK)
OP(BOUND,   "bound",   SRC,         W_NONE,           E_LEAVES | E_RD_SRC)
OP(EXIT,    "exit",    IP,          W_NONE,           E_ENDS)
OP(EXITTO,  "exitto",  SRC,         W_NONE,           E_RD_SRC | E_ENDS)
OP(SYSCALL, "syscall", IMM,         W_NONE,           E_LEAVES | E_CALLS | E_CHECK)

/* Vectors: v0-v15 are ymm0-ymm15.  What is done a row of vec.h says, and the variant in the place of the width.
 * By where the operands are: v <- v; the same, may raise #XM; v <- memory; memory <- v; r <- v; v <- r; flags <- v;
 * pcmpXstrX.  A fault leaves: a page missing, memory not aligned, #XM. */
OP(VEC,     "vec",     VEC,         W_VEC,            E_VEC | E_WR_VEC)
OP(VECX,    "vecx",    VEC,         W_VEC,            E_VEC | E_WR_VEC | E_LEAVES)
OP(VECM,    "vecm",    VEC_LOAD,    W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_RD_MEM)
OP(VST,     "vst",     VEC_STORE,   W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_WR_MEM)
OP(VTOG,    "vtog",    VEC_TO,      W_VEC,            E_VEC | E_WR_ALL)
OP(VTOGX,   "vtogx",   VEC_TO,      W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_WR_ALL)
OP(VTOGM,   "vtogm",   VEC_TO_LOAD, W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_RD_MEM | E_WR_ALL)
OP(VFROMG,  "vfromg",  VEC_FROM,    W_VEC,            E_VEC | E_WR_VEC | E_RD_SRC)
OP(VFROMGX, "vfromgx", VEC_FROM,    W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_RD_SRC)
OP(VFLAG,   "vflag",   VEC,         W_VEC,            E_VEC | E_WR_FL)
OP(VFLAGX,  "vflagx",  VEC,         W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_WR_FL)
OP(VFLAGM,  "vflagm",  VEC_LOAD,    W_VEC,            E_VEC | E_WR_VEC | E_LEAVES | E_RD_MEM | E_WR_FL)
OP(VSTR,    "vstr",    VEC,         W_VEC,            E_VEC | E_WR_VEC | E_STR | E_WR_FL)
OP(VSTRM,   "vstrm",   VEC_LOAD,    W_VEC,            E_VEC | E_WR_VEC | E_STR | E_LEAVES | E_RD_MEM | E_WR_FL)

#undef OP
