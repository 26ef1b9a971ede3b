/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_hostile: the rows of image_hostile.c, what each is and its bytes.  {end} is behind it, {out} where access is closed
 * already, {skip} at the @, {body} its beginning, {mid} inside the instruction before it.
 */
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"483b45c0480f4345c0!488b08")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax+1000000]",
	"483b45c0480f4345c0!488b8840420f00")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov al, cl; mov rdx, [rax]",
	"483b45c0480f4345c088c8!488b10")
GOOD("and rax, [rbp-208]; mov [rax], cl",
	"48238530ffffff!8808")
GOOD("mov eax, eax; mov rcx, [rax]",
	"89c0!488b08")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rdx, [rax+64]; mov [rdx-64], rcx",
	"483b45c0480f4345c0488d5040!48894ac0")
GOOD("lea rsi, [rax-0x100000]; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rcx, [rax-0x100000]",
	"488db00000f0ff483bb540ffffff480f4345c0!488b880000f0ff")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; and ecx, 63; bts [rax], rcx",
	"483b45c0480f4345c083e13f!480fab08")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe387705!f048014808")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; lock add [rax+8], ecx",
	"483b45c0480f4345c0488d700883e63f83fe387704!f0014808")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lock add byte ptr [rax], cl",
	"483b45c0480f4345c0!f00008")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; add [rax+8], rcx",
	"483b45c0480f4345c0!48014808")
GOOD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; mov rsi, rax; mov ah, [rbp-80]; sahf; mov rax, rsi; lock adc [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe38770f4889c68a65b09e4889f0!f048114808")
GOOD("mov eax, 64; lock inc qword ptr [rax]",
	"b840000000!f048ff00")
GOOD("push qword ptr [rbp-80]; pop qword ptr [rbp-88]; mov rcx, [rbp-88]",
	"ff75b08f45a8488b4da8")
GOOD("xor eax, eax; pushfq; pop qword ptr [rbp-80]",
	"31c09c8f45b0")
GOOD("clac; dec dword ptr [r15+64]; inc dword ptr [r15+64]; stac",
	"0f01ca41ff4f4041ff47400f01cb")
GOOD("clac; stac",
	"0f01ca0f01cb")
GOOD("mov [rbp-88], rcx; mov rax, [rbp-88]",
	"48894da8488b45a8")
GOOD("mov byte ptr [rbp-88], 1; cmp byte ptr [rbp-88], 0",
	"c645a801807da800")
GOOD("add rax, [rbp-64]",
	"480345c0")
GOOD("mov rcx, rbx; mov [rcx+80], rax",
	"4889d948894150")
GOOD("mov rcx, [rbp-56]; test dword ptr [rcx], 0x2300e; jnz {end}",
	"488b4dc8f7010e3002007500")
GOOD("test dword ptr [r15], 0x2300e; jnz {end}; cmp rax, 0; setz al",
	"41f7070e30020075074883f8000f94c0")
GOOD("mov [rbx+88], rcx; mov rcx, [rbx+152]; movzx eax, byte ptr [rbx+80]",
	"48894b58488b8b980000000fb64350")
GOOD("mov rdx, [rbp-48]; mov [rdx+40], rcx; mov rcx, [rdx+48]",
	"488b55d048894a28488b4a30")
GOOD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 4096; rep movsb",
	"483b7dc0480f437dc0483b75c0480f4375c0b900100000!f3a4")
GOOD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; movzx ecx, cl; rep stosq",
	"483b7dc0480f437dc00fb6c9!f348ab")
GOOD("cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; rep lodsd",
	"483b75c0480f4375c0b908000000!f3ad")
GOOD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; xor eax, eax; mov ecx, 8; repne scasb",
	"483b7dc0480f437dc031c0b908000000!f2ae")
GOOD("xor edx, edx; mov ecx, 3; div rcx",
	"31d2b903000000!48f7f1")
GOOD("addpd xmm0, xmm1",
	"!660f58c1")
GOOD("paddb xmm0, xmm1",
	"660ffcc1")
GOOD("cvtsi2sd xmm0, rax",
	"!f2480f2ac0")
GOOD("test al, al; jz {end}; mov eax, 1",
	"84c07405b801000000")
GOOD("jmp {end}",
	"eb00")
GOOD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; bswap rax; mov rdx, [rax]",
	"483b45c0480f4345c0480fc8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; rol rax, 1; mov rdx, [rax]",
	"483b45c0480f4345c048d1c0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; rcl rax, 1; mov rdx, [rax]",
	"483b45c0480f4345c048d1d0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; imul rax, rax, 1073741824; mov rdx, [rax]",
	"483b45c0480f4345c04869c000000040!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; shl rax, 1; mov rdx, [rax]",
	"483b45c0480f4345c048d1e0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; sub rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c04829c8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; neg rax; mov rdx, [rax]",
	"483b45c0480f4345c048f7d8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; not rax; mov rdx, [rax]",
	"483b45c0480f4345c048f7d0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; sbb rax, rax; mov rdx, [rax]",
	"483b45c0480f4345c04819c0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; adc rax, 0; mov rdx, [rax]",
	"483b45c0480f4345c04883d000!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; cmovb rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c0480f42c1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; add rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c04801c8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rax, [rax+rcx]; mov rdx, [rax]",
	"483b45c0480f4345c0488d0408!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; movsxd rax, eax; mov rdx, [rax]",
	"483b45c0480f4345c04863c0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; shld rax, rcx, 4; mov rdx, [rax]",
	"483b45c0480f4345c0480fa4c804!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; shrd rax, rcx, cl; mov rdx, [rax]",
	"483b45c0480f4345c0480fadc8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; bts rax, 63; mov rdx, [rax]",
	"483b45c0480f4345c0480fbae83f!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; btc rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c0480fbbc8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; pdep rax, rcx, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2f3f5c2!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; andn rax, rcx, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2f0f2c2!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; shlx rax, rcx, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2e9f7c1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mulx rax, rcx, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2f3f6c2!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mulx rcx, rax, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2fbf6ca!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; bsf rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c0480fbcc1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; cmpxchg rcx, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0480fb1d1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; cmpxchg rax, rdx; mov rdx, [rax]",
	"483b45c0480f4345c0480fb1d0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mul rcx; mov rdx, [rax]",
	"483b45c0480f4345c048f7e1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mul cl; mov rdx, [rax]",
	"483b45c0480f4345c0f6e1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; movq rax, xmm0; mov rdx, [rax]",
	"483b45c0480f4345c066480f7ec0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; pextrq rax, xmm0, 0; mov rdx, [rax]",
	"483b45c0480f4345c066480f3a16c000!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; adcx rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c066480f38f6c1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; blsr rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c0c4e2f8f3c9!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; rorx rax, rcx, 1; mov rdx, [rax]",
	"483b45c0480f4345c0c4e3fbf0c101!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; sub rax, 8; mov rdx, [rax]",
	"483b45c0480f4345c04883e808!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; dec rax; mov rdx, [rax]",
	"483b45c0480f4345c048ffc8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; and rax, -8; sub rax, 1; mov rdx, [rax]",
	"483b45c0480f4345c04883e0f84883e801!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; xor rax, 8; sub rax, 16; mov rdx, [rax]",
	"483b45c0480f4345c04883f0084883e810!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lahf; mov rdx, [rax]",
	"483b45c0480f4345c09f!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; xadd rcx, rax; mov rdx, [rax]",
	"483b45c0480f4345c0480fc1c1!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; or rax, rcx; mov rdx, [rax]",
	"483b45c0480f4345c04809c8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rax, [rbx+80]; mov rdx, [rax]",
	"483b45c0480f4345c0488b4350!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rax, [rbp-80]; mov rdx, [rax]",
	"483b45c0480f4345c0488b45b0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; shl rax, cl; mov rdx, [rax]",
	"483b45c0480f4345c048d3e0!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; sar rax, cl; mov rdx, [rax]",
	"483b45c0480f4345c048d3f8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; ror rax, cl; mov rdx, [rax]",
	"483b45c0480f4345c048d3c8!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; pmovmskb eax, xmm0; not rax; mov rdx, [rax]",
	"483b45c0480f4345c0660fd7c048f7d0!488b10")
BAD("mov rcx, [rax]",
	"!488b08")
BAD("cmp rax, [rbp-64]; mov rcx, [rax]",
	"483b45c0!488b08")
BAD("cmp eax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"3b45c0480f4345c0!488b08")
BAD("cmp rax, [rbp-64]; cmovae eax, [rbp-64]; not rax; mov rcx, [rax]",
	"483b45c00f4345c048f7d0!488b08")
BAD("cmp rax, [rbp-64]; cmova rax, [rbp-64]; mov rcx, [rax]",
	"483b45c0480f4745c0!488b08")
BAD("cmp [rbp-64], rax; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"483945c0480f4345c0!488b08")
BAD("cmp rax, [rbp-64]; inc rax; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"483b45c048ffc0480f4345c0!488b08")
BAD("cmp rax, [rbp-64]; mov [rbp-80], rcx; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"483b45c048894db0480f4345c0!488b08")
BAD("cmp rax, [rbp-64]; cmovae rcx, [rbp-64]; mov rdx, [rax]",
	"483b45c0480f434dc0!488b10")
BAD("cmp rcx, [rbp-64]; cmovae rax, [rbp-64]; mov rdx, [rax]",
	"483b4dc0480f4345c0!488b10")
BAD("cmp rax, [rbp-80]; cmovae rax, [rbp-80]; mov rdx, [rax]",
	"483b45b0480f4345b0!488b10")
BAD("cmp rax, [rbp-208]; cmovae rax, [rbp-208]; mov rdx, [rax]",
	"483b8530ffffff480f438530ffffff!488b10")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-80]; mov rdx, [rax]",
	"483b45c0480f4345b0!488b10")
BAD("test rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"488545c0480f4345c0!488b08")
BAD("sub rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"482b45c0480f4345c0!488b08")
BAD("or rax, [rbp-208]; mov rcx, [rax]",
	"480b8530ffffff!488b08")
BAD("and eax, [rbp-64]; not rax; mov rcx, [rax]",
	"2345c048f7d0!488b08")
BAD("and [rbp-80], rax; mov rcx, [rax]",
	"482145b0!488b08")
BAD("and rcx, [rbp-208]; mov rcx, [rax]",
	"48238d30ffffff!488b08")
BAD("and rax, [rbp-80]; mov rcx, [rax]",
	"482345b0!488b08")
BAD("lea esi, [rax-0x100000]; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"8db00000f0ff483bb540ffffff480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax-0x100001]; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db0ffffefff483bb540ffffff480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax+rcx-0x100000]; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db4080000f0ff483bb540ffffff480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax-0x100000]; cmp rsi, [rbp-64]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db00000f0ff483b75c0480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax-0x100000]; cmp rsi, [rbp-192]; cmovae rcx, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db00000f0ff483bb540ffffff480f434dc0!488b900000f0ff")
BAD("lea rsi, [rcx-0x100000]; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db10000f0ff483bb540ffffff480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax-0x100000]; cmp rcx, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db00000f0ff483b8d40ffffff480f4345c0!488b900000f0ff")
BAD("lea rax, [rax-0x100000]; cmp rax, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488d800000f0ff483b8540ffffff480f4345c0!488b900000f0ff")
BAD("lea rsi, [rax-0x100000]; mov rax, rcx; cmp rsi, [rbp-192]; cmovae rax, [rbp-64]; mov rdx, [rax-0x100000]",
	"488db00000f0ff4889c8483bb540ffffff480f4345c0!488b900000f0ff")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax-1]",
	"483b45c0480f4345c0!488b48ff")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax+rcx]",
	"483b45c0480f4345c0!488b0c08")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax+rax]",
	"483b45c0480f4345c0!488b0c00")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rcx]",
	"483b45c0480f4345c0!488b09")
BAD("mov rcx, [rcx*8]",
	"!488b0ccd00000000")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax+rbp]",
	"483b45c0480f4345c0!488b0c28")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rsp]",
	"483b45c0480f4345c0!488b0c24")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax+rbx]",
	"483b45c0480f4345c0!488b0c18")
BAD("mov rcx, [rsp+rax]",
	"!488b0c04")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, ds:[-8]",
	"483b45c0480f4345c0!488b0c25f8ffffff")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]",
	"483b45c0480f4345c0488b08")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; movups xmm0, [rax-8]",
	"483b45c0480f4345c0!0f1040f8")
BAD("movups xmm0, [rax]",
	"!0f1000")
BAD("movd xmm0, [rax]",
	"!660f6e00")
BAD("pextrb [rax], xmm0, 0",
	"!660f3a140000")
BAD("vmovdqu ymm0, [rax]",
	"!c5fe6f00")
BAD("push [rax]",
	"!ff30")
BAD("pop [rax]",
	"!8f00")
BAD("setz [rax]",
	"!0f9400")
BAD("cmpxchg16b [rax]",
	"!480fc708")
BAD("div qword ptr [rax]",
	"!48f730")
BAD("crc32 ecx, byte ptr [rax]",
	"!f20f38f008")
BAD("mulx rcx, rdx, [rax]",
	"!c4e2ebf608")
BAD("stmxcsr [rax]",
	"!0fae18")
BAD("pcmpistri xmm0, [rax], 0",
	"!660f3a630000")
BAD("xchg [rax], rcx",
	"!488708")
BAD("bt dword ptr [rax], 1",
	"!0fba2001")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; bts [rax], rcx",
	"483b45c0480f4345c0!480fab08")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; and ecx, 127; bts [rax], rcx",
	"483b45c0480f4345c083e17f!480fab08")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; and ecx, 63; btr [rax], ecx",
	"483b45c0480f4345c083e13f!0fb308")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; bt [rax], rcx",
	"483b45c0480f4345c0!480fa308")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; movzx ecx, cl; btc [rax], cx",
	"483b45c0480f4345c00fb6c9!660fbb08")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lock add [rax+8], rcx",
	"483b45c0480f4345c0!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; lock add [rax+16], rcx",
	"483b45c0480f4345c0488d700883e63f83fe387705!f048014810")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; lock add [rax+rcx+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe387706!f048014c0808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; add rax, 1; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe3877094883c001!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; mov al, cl; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe38770788c8!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; xchg [rax], rcx",
	"483b45c0480f4345c0!488708")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; xchg [rax], ecx",
	"483b45c0480f4345c0!8708")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 60; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe3c7705!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; jae {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe387305!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 31; cmp esi, 56; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e61f83fe387705!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+9]; and esi, 63; cmp esi, 56; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700983e63f83fe387705!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; lock cmpxchg16b [rax+8]",
	"483b45c0480f4345c0488d700883e63f83fe387706!f0480fc74808")
BAD("mov eax, 60; lock inc qword ptr [rax]",
	"b83c000000!f048ff00")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp edx, 56; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fa387705!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; inc esi; cmp esi, 56; ja {end}; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63fffc683fe387705!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; mov rsi, rax; mov rax, rcx; mov rax, rsi; lock add [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe38770e4889c64889c84889f0!f048014808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; mov rsi, rax; mov ah, [rbp-80]; sahf; lock adc [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe38770c4889c68a65b09e!f048114808")
BAD("cmp rax, [rbp-64]; cmovae rax, [rbp-64]; lea rsi, [rax+8]; and esi, 63; cmp esi, 56; ja {end}; mov rsi, rax; mov ah, [rbp-80]; mov rax, rdx; lock adc [rax+8], rcx",
	"483b45c0480f4345c0488d700883e63f83fe38770e4889c68a65b04889d0!f048114808")
BAD("lock add [rbp-80], rcx",
	"f048014db0")
BAD("lock inc qword ptr [rbx+88]",
	"f048ff4358")
BAD("xchg [rbp-80], rcx",
	"48874db0")
BAD("xchg [rbx+88], rcx",
	"48874b58")
BAD("lock dec dword ptr [r15+64]",
	"f041ff4f40")
BAD("lock cmpxchg16b [rbp-96]",
	"f0480fc74da0")
BAD("cmpxchg16b [rbx+80]",
	"480fc74b50")
BAD("add rsp, 8",
	"4883c408")
BAD("sub rsp, 8",
	"4883ec08")
BAD("lea rsp, [rax]",
	"488d20")
BAD("mov esp, eax",
	"89c4")
BAD("mov rsp, rax",
	"4889c4")
BAD("mov rbp, rax",
	"4889c5")
BAD("mov rax, rsp",
	"4889e0")
BAD("mov rax, rbp",
	"4889e8")
BAD("mov sp, ax",
	"6689c4")
BAD("mov spl, al",
	"4088c4")
BAD("mov esp, 1",
	"bc01000000")
BAD("cmovz rsp, rax",
	"480f44e0")
BAD("xadd rsp, rax",
	"480fc1c4")
BAD("xadd rax, rsp",
	"480fc1e0")
BAD("bswap rsp",
	"480fcc")
BAD("setz spl",
	"400f94c4")
BAD("movzx esp, al",
	"0fb6e0")
BAD("movsxd rsp, eax",
	"4863e0")
BAD("imul rsp, rax",
	"480fafe0")
BAD("cmpxchg rsp, rax",
	"480fb1c4")
BAD("andn rsp, rax, rcx",
	"c4e2f8f2e1")
BAD("blsr rsp, rax",
	"c4e2d8f3c8")
BAD("movd esp, xmm0",
	"660f7ec4")
BAD("movq rsp, xmm0",
	"66480f7ec4")
BAD("pextrd esp, xmm0, 0",
	"660f3a16c400")
BAD("pmovmskb esp, xmm0",
	"660fd7e0")
BAD("cvttsd2si rsp, xmm0",
	"f2480f2ce0")
BAD("popcnt rsp, rax",
	"f3480fb8e0")
BAD("bsf rsp, rax",
	"480fbce0")
BAD("mulx rsp, rax, rcx",
	"c4e2fbf6e1")
BAD("mulx rax, rsp, rcx",
	"c4e2dbf6c1")
BAD("crc32 esp, al",
	"f20f38f0e0")
BAD("shld rsp, rax, 1",
	"480fa4c401")
BAD("bts rsp, 1",
	"480fbaec01")
BAD("bts rsp, rax",
	"480fabc4")
BAD("sar rsp, 1",
	"48d1fc")
BAD("shl rsp, cl",
	"48d3e4")
BAD("not rsp",
	"48f7d4")
BAD("neg rbp",
	"48f7dd")
BAD("inc rbp",
	"48ffc5")
BAD("dec rsp",
	"48ffcc")
BAD("adc rsp, rax",
	"4811c4")
BAD("xor esp, esp",
	"31e4")
BAD("sub ebp, ebp",
	"29ed")
BAD("adcx rsp, rax",
	"66480f38f6e0")
BAD("adox rbp, rax",
	"f3480f38f6e8")
BAD("pdep rsp, rax, rcx",
	"c4e2fbf5e1")
BAD("rorx rsp, rax, 1",
	"c4e3fbf0e001")
BAD("tzcnt rbp, rax",
	"f3480fbce8")
BAD("mov rsp, [rbp-80]",
	"488b65b0")
BAD("mov rsp, [rbx+80]",
	"488b6350")
BAD("mov rbp, [rbx+80]",
	"488b6b50")
BAD("add rax, rsp",
	"4801e0")
BAD("cmp rax, rsp",
	"4839e0")
BAD("lea rax, [rbp+8]",
	"488d4508")
BAD("lea rax, [rsp]",
	"488d0424")
BAD("movq xmm0, rsp",
	"66480f6ec4")
BAD("movd xmm0, ebp",
	"660f6ec5")
BAD("cvtsi2sd xmm0, rsp",
	"f2480f2ac4")
BAD("mov [rbx+80], rsp",
	"48896350")
BAD("mov [rbp-80], rbp",
	"48896db0")
BAD("test rsp, rsp",
	"4885e4")
BAD("push rax",
	"50")
BAD("pop rax",
	"58")
BAD("pop qword ptr [rbp-80]",
	"8f45b0")
BAD("push qword ptr [rbp-80]",
	"ff75b0")
BAD("pushfq",
	"9c")
BAD("xor eax, eax; pushfq; pushfq; pop qword ptr [rbp-80]",
	"31c09c9c8f45b0")
BAD("push qword ptr [rbp-112]; pop qword ptr [rbp-80]",
	"ff75908f45b0")
BAD("push qword ptr [rbx+80]; pop qword ptr [rbp-80]",
	"ff73508f45b0")
BAD("push qword ptr [rbp-80]; pop qword ptr [rbp-112]",
	"ff75b08f4590")
BAD("push qword ptr [rbp-80]; pop qword ptr [rbx+80]",
	"ff75b08f4350")
BAD("call {end}",
	"e800000000")
BAD("ret",
	"c3")
BAD("leave",
	"c9")
BAD("enter 8, 0",
	"c8080000")
BAD("stac",
	"0f01cb")
BAD("clac; clac",
	"0f01ca0f01ca")
BAD("clac; stac; stac",
	"0f01ca0f01cb0f01cb")
BAD("inc dword ptr [r15+64]",
	"41ff4740")
BAD("inc dword ptr [r15+64]; inc dword ptr [r15+64]",
	"41ff474041ff4740")
BAD("clac; cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]; stac",
	"0f01ca483b45c0480f4345c0!488b080f01cb")
BAD("dec dword ptr [r15+64]",
	"41ff4f40")
BAD("dec dword ptr [r15+64]; cmp rax, [rbp-64]; cmovae rax, [rbp-64]; mov rcx, [rax]; inc dword ptr [r15+64]",
	"41ff4f40483b45c0480f4345c0!488b0841ff4740")
BAD("dec dword ptr [r15+68]; inc dword ptr [r15+64]",
	"41ff4f4441ff4740")
BAD("dec qword ptr [r15+64]; inc dword ptr [r15+64]",
	"49ff4f4041ff4740")
BAD("clac; dec dword ptr [r15+64]; stac; inc dword ptr [r15+64]",
	"0f01ca41ff4f400f01cb41ff4740")
BAD("test al, al; js {end}; clac; jmp {end}",
	"84c078050f01caeb00")
BAD("test al, al; jz {skip}; clac; @",
	"84c074030f01ca")
BAD("movq xmm0, [rbp-80]",
	"f30f7e45b0")
BAD("mov rax, [rbp-88]",
	"488b45a8")
BAD("mov byte ptr [rbp-88], 1; mov rax, [rbp-88]",
	"c645a801488b45a8")
BAD("mov dword ptr [rbp-88], 1; mov eax, [rbp-88]",
	"c745a8010000008b45a8")
BAD("mov word ptr [rbp-88], 1; mov al, [rbp-88]",
	"66c745a801008a45a8")
BAD("mov byte ptr [rbp-87], 1; mov al, [rbp-87]",
	"c645a9018a45a9")
BAD("mov byte ptr [rbp-88], 1; mov al, [rbp-87]",
	"c645a8018a45a9")
BAD("mov rax, [rbp-84]",
	"488b45ac")
BAD("mov [rbp-84], rax",
	"488945ac")
BAD("mov eax, [rbp-82]",
	"8b45ae")
BAD("mov [rbp-40], rax",
	"488945d8")
BAD("mov rax, [rbp-40]",
	"488b45d8")
BAD("mov rax, [rbp]",
	"488b4500")
BAD("mov [rbp+8], rax",
	"48894508")
BAD("mov rax, [rbp-216]",
	"488b8528ffffff")
BAD("mov [rbp-216], rax",
	"48898528ffffff")
BAD("add [rbp-88], rax",
	"480145a8")
BAD("inc qword ptr [rbp-88]",
	"48ff45a8")
BAD("mov rax, [rbp+rax-80]",
	"488b4405b0")
BAD("lea rax, [rbp-80]",
	"488d45b0")
BAD("mov [rbp-56], rax",
	"488945c8")
BAD("mov [rbp-64], rax",
	"488945c0")
BAD("mov [rbp-112], rbx",
	"48895d90")
BAD("mov [rbp-48], rdi",
	"48897dd0")
BAD("mov [rbp-208], rax",
	"48898530ffffff")
BAD("mov byte ptr [rbp-64], 0",
	"c645c000")
BAD("mov qword ptr [rbp-56], 0",
	"48c745c800000000")
BAD("add qword ptr [rbp-64], 8",
	"488345c008")
BAD("setz [rbp-112]",
	"0f944590")
BAD("mov al, [rbp-112]",
	"8a4590")
BAD("mov eax, [rbp-56]",
	"8b45c8")
BAD("add rax, [rbp-112]",
	"48034590")
BAD("cmp rax, [rbp-48]",
	"483b45d0")
BAD("cmovz rax, [rbp-56]",
	"480f4445c8")
BAD("movzx eax, byte ptr [rbp-48]",
	"0fb645d0")
BAD("imul rax, [rbp-56]",
	"480faf45c8")
BAD("movq xmm0, [rbp-56]",
	"f30f7e45c8")
BAD("movups xmm0, [rbp-80]",
	"0f1045b0")
BAD("movups [rbp-80], xmm0",
	"0f1145b0")
BAD("movq [rbp-88], xmm0; mov rax, [rbp-88]",
	"660fd645a8488b45a8")
BAD("stmxcsr [rbp-88]; mov eax, [rbp-88]",
	"0fae5da88b45a8")
BAD("pextrq [rbp-88], xmm0, 0",
	"66480f3a1645a800")
BAD("cvtsi2sd xmm0, qword ptr [rbp-56]",
	"f2480f2a45c8")
BAD("bt qword ptr [rbp-56], 1",
	"480fba65c801")
BAD("div qword ptr [rbp-56]",
	"48f775c8")
BAD("crc32 rax, qword ptr [rbp-56]",
	"f2480f38f145c8")
BAD("mulx rax, rcx, [rbp-112]",
	"c4e2f3f64590")
BAD("popcnt rax, [rbp-112]",
	"f3480fb84590")
BAD("mov ah, [rbp-48]",
	"8a65d0")
BAD("mov ah, [rbp-87]",
	"8a65a9")
BAD("mov ah, [rbx+80]",
	"8a6350")
BAD("mov [rbx+81], ah",
	"886351")
BAD("setz [rbp-88]; mov eax, [rbp-88]",
	"0f9445a88b45a8")
BAD("xadd [rbp-88], rax",
	"480fc145a8")
BAD("cmpxchg [rbp-88], rcx",
	"480fb14da8")
BAD("adc qword ptr [rbp-184], 0",
	"48839548ffffff00")
BAD("mov dword ptr [rbp-184], 1024; mov eax, [rbp-184]",
	"c78548ffffff000400008b8548ffffff")
BAD("mov [rbx+80], r15",
	"4c897b50")
BAD("mov [rbx+80], rbx",
	"48895b50")
BAD("mov [rbp-80], rbx",
	"48895db0")
BAD("mov [rbp-80], r15",
	"4c897db0")
BAD("add rax, rbx",
	"4801d8")
BAD("lea rax, [rbx]",
	"488d03")
BAD("lea rax, [rax+r15]",
	"4a8d0438")
BAD("cmp rax, rbx",
	"4839d8")
BAD("test rbx, rbx",
	"4885db")
BAD("cmovz rax, rbx",
	"480f44c3")
BAD("cmovz rbx, rax",
	"480f44d8")
BAD("movq xmm0, rbx",
	"66480f6ec3")
BAD("movd xmm0, r15d",
	"66410f6ec7")
BAD("movzx eax, bl",
	"0fb6c3")
BAD("movsxd rax, ebx",
	"4863c3")
BAD("xor rbx, rcx",
	"4831cb")
BAD("mov bl, al",
	"88c3")
BAD("setz bl",
	"0f94c3")
BAD("imul rax, rbx",
	"480fafc3")
BAD("mul rbx",
	"48f7e3")
BAD("div rbx",
	"48f7f3")
BAD("crc32 eax, bl",
	"f20f38f0c3")
BAD("crc32 ebx, al",
	"f20f38f0d8")
BAD("bt rax, rbx",
	"480fa3d8")
BAD("bts rax, rbx",
	"480fabd8")
BAD("bts rbx, rax",
	"480fabc3")
BAD("shl rbx, 1",
	"48d1e3")
BAD("shlx rax, rcx, rbx",
	"c4e2e1f7c1")
BAD("shld rax, rbx, 1",
	"480fa4d801")
BAD("andn rax, rbx, rcx",
	"c4e2e0f2c1")
BAD("andn rax, rcx, rbx",
	"c4e2f0f2c3")
BAD("pdep rax, rcx, rbx",
	"c4e2f3f5c3")
BAD("bswap rbx",
	"480fcb")
BAD("popcnt rax, rbx",
	"f3480fb8c3")
BAD("bsf rax, rbx",
	"480fbcc3")
BAD("bsf rbx, rax",
	"480fbcd8")
BAD("xadd rax, rbx",
	"480fc1d8")
BAD("cmpxchg rax, rbx",
	"480fb1d8")
BAD("not rbx",
	"48f7d3")
BAD("inc r15",
	"49ffc7")
BAD("mov eax, ebx",
	"89d8")
BAD("mov ax, bx",
	"6689d8")
BAD("mov al, bl",
	"88d8")
BAD("pinsrq xmm0, rbx, 0",
	"66480f3a22c300")
BAD("pinsrw xmm0, ebx, 0",
	"660fc4c300")
BAD("cvtsi2ss xmm0, rbx",
	"f3480f2ac3")
BAD("rorx rax, rbx, 1",
	"c4e3fbf0c301")
BAD("blsr rax, rbx",
	"c4e2f8f3cb")
BAD("mulx rax, rcx, rbx",
	"c4e2f3f6c3")
BAD("adcx rax, rbx",
	"66480f38f6c3")
BAD("mov [rbx+80], r12",
	"4c896350")
BAD("add rax, r12",
	"4c01e0")
BAD("mov [rbp-80], r12",
	"4c8965b0")
BAD("movq xmm0, r12",
	"66490f6ec4")
BAD("mov r12b, al; mov [rbx+80], r12",
	"4188c44c896350")
BAD("mov r12w, ax",
	"664189c4")
BAD("setz r12b",
	"410f94c4")
BAD("bsf r12, rax",
	"4c0fbce0")
BAD("cmovz r12, rax",
	"4c0f44e0")
BAD("mov rcx, r12; mov [rbx+80], rcx",
	"4c89e148894b50")
BAD("mov rcx, r12; shl rax, cl",
	"4c89e148d3e0")
BAD("mov rcx, r12; rol rax, cl",
	"4c89e148d3c0")
BAD("mov rcx, r12; shrd rax, rdx, cl",
	"4c89e1480fadd0")
BAD("mov rcx, r12; jrcxz {end}",
	"4c89e1e300")
BAD("mov rdx, r12; mulx rax, rcx, rcx",
	"4c89e2c4e2f3f6c1")
BAD("mov rdx, r12; div rcx",
	"4c89e248f7f1")
BAD("mov rax, r12; mul rcx",
	"4c89e048f7e1")
BAD("mov rax, r12; cmpxchg rcx, rdx",
	"4c89e0480fb1d1")
BAD("mov rax, r12; lahf",
	"4c89e09f")
BAD("mov rax, r12; sahf",
	"4c89e09e")
BAD("mov rax, r12; pcmpestri xmm0, xmm1, 0",
	"4c89e0660f3a61c100")
BAD("mov rdx, r12; mul cx",
	"4c89e266f7e1")
BAD("mov rdx, r12; pcmpestri xmm0, xmm1, 0",
	"4c89e2660f3a61c100")
BAD("push qword ptr [rbp-88]; pop qword ptr [rbp-80]",
	"ff75a88f45b0")
BAD("test dword ptr [r15], 0x2300e; setnz al",
	"41f7070e3002000f95c0")
BAD("test dword ptr [r15], 0x2300e; lahf",
	"41f7070e3002009f")
BAD("test dword ptr [r15], 0x2300e; pushfq; pop qword ptr [rbp-80]",
	"41f7070e3002009c8f45b0")
BAD("test dword ptr [r15], 0x2300e; adc rax, 0",
	"41f7070e3002004883d000")
BAD("test dword ptr [r15], 0x2300e; sbb eax, eax",
	"41f7070e30020019c0")
BAD("test dword ptr [r15], 0x2300e; cmovnz rax, rcx",
	"41f7070e300200480f45c1")
BAD("test dword ptr [r15], 0x2300e; rcl rax, 1",
	"41f7070e30020048d1d0")
BAD("test dword ptr [r15], 0x2300e; rcl rax, cl",
	"41f7070e30020048d3d0")
BAD("test dword ptr [r15], 0x2300e; cmc",
	"41f7070e300200f5")
BAD("test dword ptr [r15], 0x2300e; bt rax, 1; setnz al",
	"41f7070e300200480fbae0010f95c0")
BAD("test dword ptr [r15], 0x2300e; clc; pushfq; pop qword ptr [rbp-80]",
	"41f7070e300200f89c8f45b0")
BAD("test dword ptr [r15], 0x2300e; shl rax, cl; setnz al",
	"41f7070e30020048d3e00f95c0")
BAD("test dword ptr [r15], 0x2300e; inc rax; setc al",
	"41f7070e30020048ffc00f92c0")
BAD("test dword ptr [r15], 0x2300e; adcx rax, rcx",
	"41f7070e30020066480f38f6c1")
BAD("test dword ptr [r15], 0x2300e; rol rax, 1; lahf",
	"41f7070e30020048d1c09f")
BAD("test dword ptr [r15], 0x2300e; shrd rax, rcx, cl; lahf",
	"41f7070e300200480fadc89f")
BAD("test dword ptr [r15], 0x2300e; sahf; seto al",
	"41f7070e3002009e0f90c0")
BAD("clac; dec dword ptr [r15+64]; inc dword ptr [r15+64]; stac; setnz al",
	"0f01ca41ff4f4041ff47400f01cb0f95c0")
BAD("test dword ptr [r15], 0x2300f",
	"41f7070f300200")
BAD("test dword ptr [r15+4], 0x2300e",
	"41f747040e300200")
BAD("test byte ptr [r15], 14",
	"41f6070e")
BAD("test dword ptr [r15+rax], 0x2300e",
	"41f704070e300200")
BAD("cmp dword ptr [r15], 0",
	"41833f00")
BAD("mov rax, [r15]",
	"498b07")
BAD("mov [r15], rax",
	"498907")
BAD("mov dword ptr [r15], 0",
	"41c70700000000")
BAD("add dword ptr [r15+64], 1",
	"4183474001")
BAD("bts dword ptr [r15], 1",
	"410fba2f01")
BAD("movups xmm0, [r15]",
	"410f1007")
BAD("xchg [r15], rax",
	"498707")
BAD("cmp qword ptr [r15+8], 1",
	"49837f0801")
BAD("or rax, [r15+8]",
	"490b4708")
BAD("cmpxchg [r15], rcx",
	"490fb10f")
BAD("inc qword ptr [r15+64]",
	"49ff4740")
BAD("push qword ptr [r15]",
	"41ff37")
BAD("pop qword ptr [r15]",
	"418f07")
BAD("mov [rbx+120], rax",
	"48894378")
BAD("mov [rbx+116], rax",
	"48894374")
BAD("mov dword ptr [rbx+128], 0",
	"c7838000000000000000")
BAD("mov [rbx-8], rax",
	"488943f8")
BAD("mov [rbx+136], rax",
	"48898388000000")
BAD("mov rax, [rbx+144]",
	"488b8390000000")
BAD("mov [rbx+160], rax",
	"488983a0000000")
BAD("mov [rbx+156], rax",
	"4889839c000000")
BAD("mov [rbx+rax], rax",
	"48890403")
BAD("mov rax, [rbx+rcx*8]",
	"488b04cb")
BAD("movups [rbx+80], xmm0",
	"0f114350")
BAD("movups xmm0, [rbx+80]",
	"0f104350")
BAD("movq [rbx+80], xmm0",
	"660fd64350")
BAD("inc qword ptr [rbx+144]",
	"48ff8390000000")
BAD("mov byte ptr [rbx+144], 0",
	"c6839000000000")
BAD("mov rdx, [rbp-48]; mov [rdx], rcx",
	"488b55d048890a")
BAD("mov rdx, [rbp-48]; mov [rdx+8], rcx",
	"488b55d048894a08")
BAD("mov rdx, [rbp-48]; mov [rdx+16], rcx",
	"488b55d048894a10")
BAD("mov rdx, [rbp-48]; mov [rdx+24], rcx",
	"488b55d048894a18")
BAD("mov rdx, [rbp-48]; mov [rdx+64], rcx",
	"488b55d048894a40")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+40]",
	"488b55d0488b4a28")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+56]",
	"488b55d0488b4a38")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+64]",
	"488b55d0488b4a40")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+4]",
	"488b55d0488b4a04")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx-8]",
	"488b55d0488b4af8")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+72]",
	"488b55d0488b4a48")
BAD("mov rdx, [rbp-48]; mov ecx, [rdx+32]",
	"488b55d08b4a20")
BAD("mov rdx, [rbp-48]; mov rcx, [rdx+rcx]",
	"488b55d0488b0c0a")
BAD("mov rdx, [rbp-48]; mov [rdx+40], r12",
	"488b55d04c896228")
BAD("mov rdx, [rbp-48]; mov [rdx+40], rbx",
	"488b55d048895a28")
BAD("mov rdx, [rbp-48]; mov qword ptr [rdx+56], 9",
	"488b55d048c7423809000000")
BAD("mov rdx, [rbp-48]; mov qword ptr [rdx+40], 9",
	"488b55d048c7422809000000")
BAD("mov rdx, [rbp-48]; mov dword ptr [rdx+56], 0",
	"488b55d0c7423800000000")
BAD("mov rdx, [rbp-48]; add [rdx+48], rcx",
	"488b55d048014a30")
BAD("mov rdx, [rbp-48]; add rcx, [rdx+32]",
	"488b55d048034a20")
BAD("mov rdx, [rbp-48]; mov [rdx+rcx+40], rcx",
	"488b55d048894c0a28")
BAD("mov rdx, [rbp-48]; movups xmm0, [rdx+32]",
	"488b55d00f104220")
BAD("mov rdx, [rbp-48]; movq [rdx+40], xmm0",
	"488b55d0660fd64228")
BAD("mov rdx, [rbp-48]; lea rcx, [rdx]",
	"488b55d0488d0a")
BAD("mov rdx, [rbp-48]; push qword ptr [rdx+32]",
	"488b55d0ff7220")
BAD("mov rdx, [rbp-48]; mov [rdx+32], ecx",
	"488b55d0894a20")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 4097; rep movsb",
	"483b7dc0480f437dc0483b75c0480f4375c0b901100000!f3a4")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; rep movsb",
	"483b7dc0480f437dc0483b75c0480f4375c0!f3a4")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; rep movsb",
	"483b7dc0480f437dc0b908000000!f3a4")
BAD("cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; rep movsb",
	"483b75c0480f4375c0b908000000!f3a4")
BAD("mov ecx, 8; rep stosb",
	"b908000000!f3aa")
BAD("mov ecx, 8; rep lodsb",
	"b908000000!f3ac")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; rep movsb",
	"483b7dc0480f437dc0483b75c0480f4375c0b908000000f3a4")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; clac; rep movsb; stac",
	"483b7dc0480f437dc0483b75c0480f4375c0b9080000000f01ca!f3a40f01cb")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; inc rcx; dec rcx; neg rcx; rep stosb",
	"483b7dc0480f437dc0b90800000048ffc148ffc948f7d9!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; mov rcx, rdx; rep stosb",
	"483b7dc0480f437dc0b9080000004889d1!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; rep stosb; rep stosb",
	"483b7dc0480f437dc0b908000000!f3aa!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; mov rax, r12; rep stosb",
	"483b7dc0480f437dc0b9080000004c89e0!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; test dword ptr [r15], 0x2300e; repe cmpsb",
	"483b7dc0480f437dc0483b75c0480f4375c0b90800000041f7070e300200!f3a6")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; rep stosb; mov rax, [rdi]",
	"483b7dc0480f437dc0b908000000!f3aa!488b07")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; movsb",
	"483b7dc0480f437dc0b908000000a4")
BAD("std",
	"fd")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rsi, [rbp-64]; cmovae rsi, [rbp-64]; mov ecx, 8; mov rdi, r12; rep movsb",
	"483b7dc0480f437dc0483b75c0480f4375c0b9080000004c89e7!f3a4")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; bswap rdi; rep stosb",
	"483b7dc0480f437dc0b908000000480fcf!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; mov ecx, 8; xchg rcx, rdx; rep stosb",
	"483b7dc0480f437dc0b9080000004887d1!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp rcx, 5000; ja {end}; rep stosb",
	"483b7dc0480f437dc04881f9881300007702!f3aa")
BAD("cmp rdi, [rbp-64]; cmovae rdi, [rbp-64]; cmp ecx, 4096; ja {end}; rep stosb",
	"483b7dc0480f437dc081f9001000007702!f3aa")
BAD("xor edx, edx; mov ecx, 3; div rcx",
	"31d2b90300000048f7f1")
BAD("mov rax, rcx",
	"!4889c8")
BAD("addpd xmm0, xmm1",
	"660f58c1")
BAD("paddb xmm0, xmm1",
	"!660ffcc1")
BAD("idiv cl",
	"f6f9")
BAD("cvtsi2sd xmm0, rax",
	"f2480f2ac0")
BAD("nop",
	"!90")
BAD("jmp {body}",
	"ebfe")
BAD("jz {body}",
	"74fe")
BAD("test al, al; jz {body}",
	"84c074fc")
BAD("jmp {entry}",
	"eb8a")
BAD("jmp {mid}",
	"ebfc")
BAD("test al, al; jz {mid}",
	"84c074fa")
BAD("jrcxz {body}",
	"e3fe")
BAD("jmp {far}",
	"e987ffff00")
BAD("call {far}",
	"e887ffff00")
BAD("call {body}",
	"e8fbffffff")
BAD("clac; dec dword ptr [r15+64]; call {far}; inc dword ptr [r15+64]; stac",
	"0f01ca41ff4f40e880ffff0041ff47400f01cb")
BAD("jmp rax",
	"ffe0")
BAD("call rax",
	"ffd0")
BAD("jmp [rbp-80]",
	"ff65b0")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; shl ecx, cl; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775424889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01d3e1720641ff4740eb"
	"174889dfbe00100000e82c04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; shr ecx, cl; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775424889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01d3e9720641ff4740eb"
	"174889dfbe00100000e82c04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; adcx rcx, rcx; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775464889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb0166480f38f6c9720641"
	"ff4740eb174889dfbe00100000e82804200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; adox rcx, rcx; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775464889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01f3480f38f6c9720641"
	"ff4740eb174889dfbe00100000e82804200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; shld ecx, ecx, cl; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775434889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb010fa5c9720641ff4740"
	"eb174889dfbe00100000e82b04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; xor ecx, ecx; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775424889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb0131c9720641ff4740eb"
	"174889dfbe00100000e82c04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; bt ecx, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775444889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb010fbae101720641ff47"
	"40eb174889dfbe00100000e82a04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; cmc; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01f5720641ff4740eb17"
	"4889dfbe00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; inc ecx; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775424889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01ffc1720641ff4740eb"
	"174889dfbe00100000e82c04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; clc; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01f8720641ff4740eb17"
	"4889dfbe00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; stc; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01f9720641ff4740eb17"
	"4889dfbe00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; ptest xmm0, xmm0; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775454889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01660f3817c0720641ff"
	"4740eb174889dfbe00100000e82904200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; sahf; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb019e720641ff4740eb17"
	"4889dfbe00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; imul ecx, ecx; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775434889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb010fafc9720641ff4740"
	"eb174889dfbe00100000e82b04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jbe {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01760641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; ja {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01770641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jae {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01730641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 2; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb02720641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 0; jz {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb00740641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004983fb01720641ff4740eb1748"
	"89dfbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11w, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b901000000664183fb01720641ff4740eb17"
	"4889dfbe00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp ecx, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f827753f4889435041ff4f40488b7dd0e8730030004989c3488b4350b90100000083f901720641ff4740eb174889"
	"dfbe00100000e82f04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; test r11d, r11d; jz {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f827753f4889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004585db740641ff4740eb174889"
	"dfbe00100000e82f04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; add r11, 1; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca83f82775214889435041ff4f40488b7dd0e8730030004989c34983c30141ff4740eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov [rbx+88], rax; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca83f827751e4889435041ff4f40488b7dd0e8730030004889435841ff4740eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov [rbx+88], rcx; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca83f827751e4889435041ff4f40488b7dd0e87300300048894b5841ff4740eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; inc dword ptr [r15+64]; mov rdx, [rbp-48]; mov [rdx+40], r8; jmp {out}",
	"0f01ca83f82775224889435041ff4f40488b7dd0e87300300041ff4740488b55d04c894228eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; inc dword ptr [r15+64]; setb cl; jmp {out}",
	"0f01ca83f827751d4889435041ff4f40488b7dd0e87300300041ff47400f92c1eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, r15; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb174c"
	"89ffbe00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rax; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1748"
	"89c7be00100000e82e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov rsi, rax; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f827753e4889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1548"
	"89df4889c6e83004200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov rsi, -4096; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775424889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1948"
	"89df48c7c600f0ffffe82c04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov eax, 40; mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775454889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1cb8"
	"280000004889dfbe00100000e82904200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @inc rax; mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775434889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1a48"
	"ffc04889dfbe00100000e82b04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @inc dword ptr [r15+64]; mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775444889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1b41"
	"ff47404889dfbe00100000e82a04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @push qword ptr [rbp-80]; mov rdi, rbx; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775434889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1aff"
	"75b04889dfbe00100000e82b04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {stub}+32; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1748"
	"89dfbe00100000e84e04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, rbx; mov esi, 0x1000; call {post}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775404889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1748"
	"89dfbe00100000e84e01300041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; mov r11, rax; mov rax, [rbx+80]; mov ecx, 1; cmp r11d, 1; jb {skip}; inc dword ptr [r15+64]; jmp {out}; @mov rdi, [rbp-48]; mov esi, 0x1000; call {stub}; inc dword ptr [r15+64]; stac",
	"0f01ca83f82775414889435041ff4f40488b7dd0e8730030004989c3488b4350b9010000004183fb01720641ff4740eb1848"
	"8b7dd0be00100000e82d04200041ff47400f01cb")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; mov [rbx+80], rcx; call {pre}; jmp {out}",
	"0f01ca83f827751a4889435041ff4f40488b7dd048894b50e86f003000eb03")
BAD("clac; cmp eax, 39; jne {out}; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca83f827751641ff4f40488b7dd0e87700300041ff4740eb03")
BAD("clac; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca4889435041ff4f40488b7dd0e87800300041ff4740eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, rbx; call {pre}; inc dword ptr [r15+64]; jmp {out}",
	"0f01ca83f82775194889435041ff4f404889dfe87400300041ff4740eb03")
BAD("cmp eax, 39; jne {out}; mov [rbx+80], rax; dec dword ptr [r15+64]; mov rdi, [rbp-48]; call {pre}; inc dword ptr [r15+64]; jmp {out}",
	"83f827751a4889435041ff4f40488b7dd0e87600300041ff4740eb03")
BAD("clac; cmp eax, 39; jne {out}; mov [rbx+80], rax; mov rdi, [rbp-48]; call {pre}; jmp {out}",
	"0f01ca83f827751248894350488b7dd0e877003000eb03")
