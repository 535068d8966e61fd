//: test handed-out.*
//: optional _msize _heapwalk realloc
static const size_t lengths[] = { 0, 4, 12, 25, 100, 5000, 40000, 300000 };
enum { COUNT = 8 };
static char *blocks[COUNT];

@strdup|mbsdup static char *text_of(size_t length)
@wcsdup static wchar_t *text_of(size_t length)
@strdup|wcsdup|mbsdup {
@strdup|mbsdup     static char text[300001];
@strdup|mbsdup     memset(text, 'x', length), text[length] = 0;
@wcsdup     static wchar_t text[75001];
@wcsdup     for (size_t i = 0; i < length / 4; i++) text[i] = L'x';
@wcsdup     text[length / 4] = 0;
@strdup|wcsdup|mbsdup     return text;
@strdup|wcsdup|mbsdup }
static int is_in_use(const char *block)
{
    struct heap_info entry = { NULL, 0, 0 };
    int found = 0;
    while (p__heapwalk && p__heapwalk(&entry) == -2)
        found += entry.in_use == 1 && entry.entry == block;
    return found;
}

static void test(void)
{
    char *control = p_malloc(100);
    size_t sizes[COUNT];
    int walks = control && is_in_use(control); /* else the walk cannot judge the others */
    for (int i = 0; i < COUNT; i++) {
        @strdup blocks[i] = p__strdup(text_of(lengths[i])), sizes[i] = lengths[i] + 1;
        @mbsdup blocks[i] = (char *)p__mbsdup((unsigned char *)text_of(lengths[i])), sizes[i] = lengths[i] + 1;
        @wcsdup blocks[i] = (char *)p__wcsdup(text_of(i == 4 ? 100 : lengths[i])), sizes[i] = (lengths[i] / 4 + 1) * sizeof(wchar_t);
        @fullpath blocks[i] = p__fullpath(NULL, i % 2 ? "a/b" : ".", 260), sizes[i] = 4;
        @wfullpath blocks[i] = (char *)p__wfullpath(NULL, i % 2 ? L"a/b" : L".", 260), sizes[i] = 4;
        @getcwd sizes[i] = i % 2 ? 20000 : 1500, blocks[i] = p__getcwd(NULL, (int)sizes[i]);
        @wgetcwd sizes[i] = i % 2 ? 40000 : 3000, blocks[i] = (char *)p__wgetcwd(NULL, (int)sizes[i] / 2);
        @getdcwd sizes[i] = i % 2 ? 20000 : 1500, blocks[i] = p__getdcwd(0, NULL, (int)sizes[i]);
        @wgetdcwd sizes[i] = i % 2 ? 40000 : 3000, blocks[i] = (char *)p__wgetdcwd(0, NULL, (int)sizes[i] / 2);
        @dupenv-s|wdupenv-s size_t count;
        @dupenv-s if (p__dupenv_s(&blocks[i], &count, "PATH")) return;
        @wdupenv-s if (p__wdupenv_s((wchar_t **)&blocks[i], &count, L"PATH")) return;
        @dupenv-s|wdupenv-s sizes[i] = 2;
        @tempnam blocks[i] = p__tempnam(NULL, "heap"), sizes[i] = 4;
        @wtempnam blocks[i] = (char *)p__wtempnam(NULL, L"heap"), sizes[i] = 8;
        @strdup|wcsdup|mbsdup ok(blocks[i] != NULL, "NULL for a text of %lu bytes\n", (unsigned long)lengths[i]);
        if (!blocks[i]) return;
        for (int other = 0; other < i; other++) ok(blocks[i] != blocks[other], "%p twice\n", blocks[i]);
        ok(!p__msize || p__msize(blocks[i]) >= sizes[i], "_msize is too small for %lu bytes\n", (unsigned long)sizes[i]);
        ok(!walks || is_in_use(blocks[i]), "a walk does not find the block %p in use\n", blocks[i]);
    }
    for (int i = 0; i < COUNT; i++) memset(blocks[i], i + 1, sizes[i]);
    for (int i = 0; i < COUNT; i++) {
        if (p_realloc && i % 2 == 0) blocks[i] = p_realloc(blocks[i], sizes[i] + 5000);
        ok(blocks[i] && is_all(blocks[i], sizes[i], i + 1), "a live block of %lu bytes changed\n", (unsigned long)sizes[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        p_free(blocks[i]);
        ok(!walks || !is_in_use(blocks[i]), "a walk finds the freed block %p in use\n", blocks[i]);
    }
    (void)lengths;
}
