"""Runs machine code of a kernel on the CPU, one block of threads at a time, and counts.

Threads of a block are columns of arrays. At each step those go on that are farthest behind, so branches that part meet
again as soon as they can, as on a device. A warp that has a thread in a step has issued an instruction.

What an instruction does is not documented in full, so results are compared with those that are right: a count can be
trusted where the machine code has computed the right numbers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from docs.machine_code import arithmetic as do
from docs.machine_code.memory import WARP, Memory
from docs.machine_code.sass import OPERATIONS, Instruction, Operand, kind_of

ZERO = {"R": 255, "UR": 63}  # registers that are always zero
FLOATS = {"FADD", "FMUL", "FFMA", "FSEL", "FSETP", "FMNMX", "MUFU"}
NOTHING = {"BSSY", "BSYNC", "NOP", "BREAK", "WARPSYNC"}


class Block:
    """The threads of a block, their registers, what they have in common, and what was counted."""

    def __init__(
        self,
        program: tuple[Sequence[Instruction], dict[str, int]],
        constants: np.ndarray,
        memory: Memory,
        threads: int,
        number: int,
    ) -> None:
        self.code, self.labels = program
        self.constants, self.memory, self.counts = constants, memory, memory.counts
        self.threads, self.number = threads, number
        self.issued = np.zeros(len(self.code), int)
        self.registers = {name: np.zeros((256, threads), np.uint64) for name in ("R", "UR")}
        self.predicates = {name: np.zeros((8, threads), bool) for name in ("P", "UP")}
        for values in self.predicates.values():
            values[7] = True

    def run(self) -> None:
        """Go on until all threads have come to an end."""
        at = np.zeros(self.threads, np.int64)
        live, waiting = np.ones(self.threads, bool), np.zeros(self.threads, bool)
        while live.any():
            ready = live & ~waiting
            if not ready.any():
                at[waiting] += 1
                waiting[:] = False
                continue
            here = int(at[ready].min())
            instruction, active = self.code[here], ready & (at == here)
            self._count(here, active)
            chosen = active & self._predicate(instruction.guard)
            at[active] += 1
            if instruction.opcode == "BAR":
                at[chosen] -= 1
                waiting |= chosen
            elif instruction.opcode == "EXIT":
                live &= ~chosen
            elif instruction.opcode in ("BRA", "CALL"):
                *condition, label = instruction.operands
                for more in condition:
                    chosen = chosen & self._predicate(more)
                at[chosen] = self.labels[str(label.value)]
            elif instruction.opcode == "RET":
                at[chosen] = (self._whole(instruction.operands[0]) // np.uint64(16)).astype(np.int64)[chosen]
            elif instruction.opcode not in NOTHING and chosen.any():
                self._execute(instruction, chosen)

    def _count(self, here: int, active: np.ndarray) -> None:
        instruction, warps = self.code[here], int(active.reshape(-1, WARP).any(axis=1).sum())
        self.issued[here] += warps
        self.counts["issued"] += warps
        self.counts[kind_of(instruction)] += warps
        self.counts["operations"] += OPERATIONS.get(instruction.opcode, 0) * int(active.sum())

    # Values of operands.

    def _predicate(self, operand: Operand) -> np.ndarray:
        return self.predicates[operand.kind][operand.value] ^ operand.inverted

    def _bits(self, operand: Operand, is_float: bool = False) -> np.ndarray:
        if operand.kind in self.registers:
            return self.registers[operand.kind][int(operand.value)]
        if operand.kind == "immediate":
            if is_float or isinstance(operand.value, float):
                value = do.of_floats(np.float32(operand.value)) if is_float else np.uint64(int(operand.value))
            else:
                value = np.uint64(int(operand.value) & 0xFFFFFFFF)
            return np.full(self.threads, value)
        assert (operand.kind, operand.base) == ("constant", "0x0"), operand
        word = self.constants[int(operand.value) : int(operand.value) + 4].view(np.uint32)
        return np.full(self.threads, np.uint64(word[0]))

    def _whole(self, operand: Operand) -> np.ndarray:
        """A whole number; the negative of one is its complement plus 1, with what that carries."""
        x = self._bits(operand)
        if operand.inverted:
            return x ^ do.MASK
        return (x ^ do.MASK) + do.ONE if operand.negative else x

    def _float(self, operand: Operand) -> np.ndarray:
        x = do.floats(self._bits(operand, is_float=True))
        x = np.abs(x) if operand.absolute else x
        return -x if operand.negative else x

    def _pair(self, operand: Operand) -> np.ndarray:
        """Two registers as one number; the highest one, zero, has none above it."""
        if operand.kind not in self.registers or operand.value == ZERO[operand.kind]:
            return self._bits(operand)
        values, at = self.registers[operand.kind], int(operand.value)
        pair = do.joined(values[at], values[at + 1])
        return ~pair + do.ONE if operand.negative else pair

    def _put(self, operand: Operand, values: np.ndarray, chosen: np.ndarray, above: int = 0) -> None:
        at = int(operand.value)
        if at != ZERO[operand.kind]:
            np.copyto(self.registers[operand.kind][at + above], values & do.MASK, where=chosen)

    def _decide(self, operand: Operand, values: np.ndarray, chosen: np.ndarray) -> None:
        if operand.value != 7:
            np.copyto(self.predicates[operand.kind][int(operand.value)], values, where=chosen)

    # Instructions.

    def _execute(self, instruction: Instruction, chosen: np.ndarray) -> None:
        name, flags, operands = instruction.opcode, instruction.flags, instruction.operands
        if name in ("LDS", "STS", "LDG", "STG"):
            self._access(name, flags, operands, chosen)
        elif name in ("ISETP", "UISETP", "FSETP"):
            self._compare(name, flags, operands, chosen)
        elif name == "FCHK":
            a, b = (self._float(x) for x in operands[1:])
            self._decide(operands[0], ~do.divides_simply(a, b), chosen)
        elif name in ("PLOP3", "UPLOP3"):
            a, b, c = (np.where(self._predicate(x), ~np.uint64(0), np.uint64(0)) for x in operands[2:5])
            self._decide(operands[0], (do.looked_up(int(operands[5].value), a, b, c) & do.ONE).astype(bool), chosen)
        elif name in ("LDC", "ULDC"):
            for word in range(2 if "64" in flags else 1):
                source = operands[1]._replace(value=int(operands[1].value) + 4 * word)
                self._put(operands[0], self._bits(source), chosen, word)
        elif name in ("S2R", "S2UR", "CS2R"):
            value = self._special(str(operands[1].value))
            self._put(operands[0], value, chosen)
            if name == "CS2R" and "32" not in flags:
                self._put(operands[0], value >> do.WORD, chosen, 1)
        elif name in FLOATS:
            self._put(operands[0], self._of_floats(name, flags, operands[1:]), chosen)
        else:
            self._of_whole(name.removeprefix("U"), flags, operands, chosen)

    def _special(self, name: str) -> np.ndarray:
        threads = np.arange(self.threads, dtype=np.uint64)
        known = {"SR_TID.X": threads, "SR_LANEID": threads % np.uint64(WARP), "SR_CTAID.X": np.uint64(self.number)}
        return np.broadcast_to(known.get(name, np.uint64(0)), threads.shape)

    def _of_floats(self, name: str, flags: tuple[str, ...], operands: tuple[Operand, ...]) -> np.ndarray:
        with np.errstate(all="ignore"):
            if name in ("FSEL", "FMNMX"):
                a, b = self._float(operands[0]), self._float(operands[1])
                pick = self._predicate(operands[2])
                return do.of_floats(
                    np.where(pick, a, b) if name == "FSEL" else np.where(pick, np.fmin(a, b), np.fmax(a, b))
                )
            a, *rest = (self._float(x) for x in operands)
            if name == "MUFU":
                return do.of_floats(do.FUNCTIONS[flags[0]](a))
            if name == "FFMA":  # rounded once
                return do.of_floats(a.astype(np.float64) * rest[0] + rest[1])
            return do.of_floats(a + rest[0] if name == "FADD" else a * rest[0])

    def _compare(self, name: str, flags: tuple[str, ...], operands: tuple[Operand, ...], chosen: np.ndarray) -> None:
        first, second, a, b, *more = operands
        if name == "FSETP":
            result = do.compared_floats(flags, self._float(a), self._float(b))
        else:
            lower = self._predicate(more[1]) if "EX" in flags else None
            result = do.compared(flags, self._whole(a), self._whole(b), lower)
        combine = do.COMBINATIONS[next(flag for flag in flags if flag in do.COMBINATIONS)]
        known = self._predicate(more[0])
        self._decide(first, combine(result, known), chosen)
        self._decide(second, combine(~result, known), chosen)

    def _of_whole(self, name: str, flags: tuple[str, ...], operands: tuple[Operand, ...], chosen: np.ndarray) -> None:
        if operands[0].kind in ("P", "UP"):
            operands = operands[1], operands[0], *operands[2:]
        target, *sources = operands
        out = [sources.pop(0) for _ in range(2) if sources[0].kind in ("P", "UP")]
        given = [x for x in sources if x.kind in ("P", "UP")]
        sources = [x for x in sources if x.kind not in ("P", "UP")]
        carry = (
            sum((self._predicate(x).astype(np.uint64) for x in given), np.uint64(0)) if "X" in flags else np.uint64(0)
        )
        overflow = None
        if name in ("MOV", "R2UR"):
            result = self._whole(sources[0])
        elif name == "SEL":
            result = np.where(self._predicate(given[0]), *(self._whole(x) for x in sources))
        elif name in ("IADD3", "VIADD"):
            total = sum((self._whole(x) for x in sources), carry)
            result, overflow = total, total >> do.WORD
        elif name == "LOP3":
            table = int(sources[3].value)
            result = do.looked_up(table, *(self._whole(x) for x in sources[:3]))
            overflow = result & do.MASK
        elif name == "PRMT":
            result = do.permuted(*(self._whole(x) for x in sources))
        elif name == "SHF":
            result = do.shifted(flags, *(self._whole(x) for x in sources))
        elif name == "IMAD":
            result, overflow = self._multiplied(flags, sources, carry)
            if "WIDE" in flags:
                self._put(target, result >> do.WORD, chosen, 1)
        elif name == "LEA":
            result, overflow = self._scaled(flags, sources, carry)
        elif name == "HFMA2":  # how constants are loaded
            assert all(x.value == ZERO["R"] for x in sources[:2])
            high, low = (np.float16(x.value).view(np.uint16) for x in sources[2:])
            result = np.full(self.threads, np.uint64(int(high) << 16 | int(low)))
        elif name in ("VIADDMNMX", "VIMNMX", "IMNMX"):
            *terms, bound = (self._whole(x) for x in sources)
            a, b = (x if "U32" in flags else do.signed(x) for x in (sum(terms) & do.MASK, bound & do.MASK))
            result = np.where(self._predicate(given[0]), np.minimum(a, b), np.maximum(a, b)).astype(np.uint64)
        elif name == "IABS":
            result = np.abs(do.signed(self._whole(sources[0]))).view(np.uint64)
        elif name in ("I2F", "I2FP"):
            x = self._pair(sources[0]) if "U64" in flags else self._whole(sources[0]) & do.MASK
            x = x if "U64" in flags or "U32" in flags else do.signed(x)
            result = do.of_floats(do.rounded_up(x) if "RP" in flags else x.astype(np.float32))
        elif name == "F2I":
            whole = np.trunc(np.nan_to_num(self._float(sources[0]).astype(np.float64)))
            result = np.clip(whole, 0, 2.0**63).astype(np.uint64)
            if "U64" in flags:
                self._put(target, result >> do.WORD, chosen, 1)
        else:
            raise NotImplementedError(f"{'.'.join((name, *flags))} is not known to the interpreter")
        self._put(target, result, chosen)
        if out and overflow is not None:
            self._decide(out[0], overflow.astype(bool), chosen)

    def _multiplied(self, flags: tuple[str, ...], sources: list[Operand], carry: Any) -> tuple[np.ndarray, np.ndarray]:
        if "MOV" in flags:
            return self._whole(sources[2]), np.zeros(self.threads, bool)
        with_signs = "U32" not in flags
        long = "WIDE" in flags or "HI" in flags
        a, b = (self._whole(x) & do.MASK for x in sources[:2])
        total, overflow = do.carried(
            do.product(a, b, with_signs), self._pair(sources[2]) if long else self._whole(sources[2])
        )
        total, more = do.carried(total, np.broadcast_to(carry, total.shape))
        return total >> do.WORD if "HI" in flags else total, overflow | more

    def _scaled(self, flags: tuple[str, ...], sources: list[Operand], carry: Any) -> tuple[np.ndarray, np.ndarray]:
        a, added, *rest = (self._whole(x) for x in sources)
        by = np.uint64(int(sources[-1].value) if len(rest) else 0)
        if "HI" not in flags:
            total = ((a & do.MASK) << by & do.MASK) + added + carry
        elif "SX32" in flags:
            total = (do.signed(a).view(np.uint64) << by >> do.WORD & do.MASK) + added + carry
        else:
            total = (do.joined(a, rest[0]) << by >> do.WORD) + added + carry
        return total, total >> do.WORD

    # Memory.

    def _access(self, name: str, flags: tuple[str, ...], operands: tuple[Operand, ...], chosen: np.ndarray) -> None:
        register, address = operands if name.startswith("LD") else operands[::-1]
        width = next((int(flag) // 8 for flag in flags if flag in ("64", "128")), 4)
        memory, at = self.memory.words(name, self._places(address)[chosen], np.flatnonzero(chosen) // WARP, width)
        for word in range(width // 4):
            columns = at[:, 4 * word : 4 * word + 4]
            if name.startswith("LD"):
                values = np.zeros(self.threads, np.uint64)
                values[chosen] = memory[columns].view(np.uint32)[:, 0]
                self._put(register, values, chosen, word)
            else:
                source = (
                    register if register.value == ZERO["R"] else register._replace(value=int(register.value) + word)
                )
                memory[columns] = self._bits(source)[chosen].astype(np.uint32)[:, None].view(np.uint8)

    def _places(self, address: Operand) -> np.ndarray:
        total = np.full(self.threads, int(address.value), np.int64)
        for base in filter(None, address.base.split("+")):
            name, _, kind = base.partition(".")
            if name in ("RZ", "URZ"):
                continue
            group = "UR" if name.startswith("U") else "R"
            operand = Operand(group, int(name.removeprefix(group)))
            wide = kind == "64" or (group == "UR" and "64" in address.base)
            x = self._pair(operand) if wide else self._bits(operand)
            total += x.view(np.int64) * (int(kind[1:]) if kind.startswith("X") else 1)
        return total
