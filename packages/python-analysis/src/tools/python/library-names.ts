// Written by test/conformance/tool-schemas/library_names.py; do not edit.

/** What a module of the standard library defines; lists of names are separated by spaces. */
export interface LibraryNames {
  /** Classes whose canonical name is the module's and theirs. */
  readonly classes?: string;
  /** Classes whose canonical name is another. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly functions?: string;
  /** Instances of something, of no interest but that they exist. */
  readonly objects?: string;
  readonly constants?: Readonly<Record<string, bigint | number | string | boolean>>;
}

export const LIBRARY_NAMES: Readonly<Record<string, LibraryNames>> = {
  "builtins": {
    classes: "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning Exception ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError bool bytearray bytes classmethod complex dict enumerate filter float frozenset int list map memoryview object property range reversed set slice staticmethod str super tuple type zip",
    functions: "abs aiter all anext any ascii bin breakpoint callable chr compile copyright credits delattr dir divmod eval exec exit format getattr globals hasattr hash help hex id input isinstance issubclass iter len license locals max min next oct open ord pow print quit repr round setattr sorted sum vars",
    objects: "Ellipsis NotImplemented",
    renamed: {"EnvironmentError": "builtins.OSError", "IOError": "builtins.OSError"},
    constants: { "False": false, "True": true },
  },
  "datetime": {
    classes: "date datetime time timedelta timezone tzinfo",
    objects: "UTC datetime_CAPI",
    constants: { "MAXYEAR": 9999n, "MINYEAR": 1n },
  },
  "decimal": {
    classes: "Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple DivisionByZero DivisionImpossible DivisionUndefined FloatOperation Inexact InvalidContext InvalidOperation Overflow Rounded Subnormal Underflow",
    functions: "getcontext localcontext setcontext",
    objects: "BasicContext DefaultContext ExtendedContext",
    constants: { "HAVE_CONTEXTVAR": true, "HAVE_THREADS": true, "MAX_EMAX": 999999999999999999n, "MAX_PREC": 999999999999999999n, "MIN_EMIN": -999999999999999999n, "MIN_ETINY": -1999999999999999997n, "ROUND_05UP": "ROUND_05UP", "ROUND_CEILING": "ROUND_CEILING", "ROUND_DOWN": "ROUND_DOWN", "ROUND_FLOOR": "ROUND_FLOOR", "ROUND_HALF_DOWN": "ROUND_HALF_DOWN", "ROUND_HALF_EVEN": "ROUND_HALF_EVEN", "ROUND_HALF_UP": "ROUND_HALF_UP", "ROUND_UP": "ROUND_UP" },
  },
  "uuid": {
    classes: "SafeUUID UUID",
    functions: "getnode uuid1 uuid3 uuid4 uuid5",
    objects: "NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500",
    renamed: {"Enum": "enum.Enum", "bytes_": "builtins.bytes", "int_": "builtins.int"},
    constants: { "RESERVED_FUTURE": "reserved for future definition", "RESERVED_MICROSOFT": "reserved for Microsoft compatibility", "RESERVED_NCS": "reserved for NCS compatibility", "RFC_4122": "specified in RFC 4122" },
  },
  "pathlib": {
    classes: "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
    functions: "S_ISBLK S_ISCHR S_ISDIR S_ISFIFO S_ISLNK S_ISREG S_ISSOCK urlquote_from_bytes",
    renamed: {"Sequence": "collections.abc.Sequence", "attrgetter": "operator.attrgetter"},
    constants: { "EBADF": 9n, "ELOOP": 40n, "ENOENT": 2n, "ENOTDIR": 20n },
  },
  "re": {
    classes: "Match Pattern RegexFlag Scanner error",
    functions: "compile escape findall finditer fullmatch match purge search split sub subn template",
    objects: "A ASCII DEBUG DOTALL I IGNORECASE L LOCALE M MULTILINE NOFLAG S T TEMPLATE U UNICODE VERBOSE X",
  },
  "collections": {
    classes: "ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque",
    functions: "namedtuple",
  },
  "collections.abc": {
    classes: "AsyncGenerator AsyncIterable AsyncIterator Awaitable ByteString Callable Collection Container Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized ValuesView",
  },
  "ipaddress": {
    classes: "AddressValueError IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network NetmaskValueError",
    functions: "collapse_addresses get_mixed_type_key ip_address ip_interface ip_network summarize_address_range v4_int_to_packed v6_int_to_packed",
    constants: { "IPV4LENGTH": 32n, "IPV6LENGTH": 128n },
  },
  "fractions": {
    classes: "Fraction",
    renamed: {"Decimal": "decimal.Decimal"},
  },
  "os": {
    classes: "PathLike stat_result statvfs_result terminal_size",
    functions: "WCOREDUMP WEXITSTATUS WIFCONTINUED WIFEXITED WIFSIGNALED WIFSTOPPED WSTOPSIG WTERMSIG abort access chdir chmod chown chroot close closerange confstr copy_file_range cpu_count ctermid device_encoding dup dup2 eventfd eventfd_read eventfd_write execl execle execlp execlpe execv execve execvp execvpe fchdir fchmod fchown fdatasync fdopen fork forkpty fpathconf fsdecode fsencode fspath fstat fstatvfs fsync ftruncate fwalk get_blocking get_exec_path get_inheritable get_terminal_size getcwd getcwdb getegid getenv getenvb geteuid getgid getgrouplist getgroups getloadavg getlogin getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getsid getuid getxattr initgroups isatty kill killpg lchown link listdir listxattr lockf login_tty lseek lstat major makedev makedirs memfd_create minor mkdir mkfifo mknod nice open openpty pathconf pidfd_open pipe pipe2 popen posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv putenv pwrite pwritev read readlink readv register_at_fork remove removedirs removexattr rename renames replace rmdir scandir sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setparam sched_setscheduler sched_yield sendfile set_blocking set_inheritable setegid seteuid setgid setgroups setpgid setpgrp setpriority setregid setresgid setresuid setreuid setsid setuid setxattr spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe splice stat statvfs strerror symlink sync sysconf system tcgetpgrp tcsetpgrp times truncate ttyname umask uname unlink unsetenv urandom utime wait wait3 wait4 waitid waitpid waitstatus_to_exitcode walk write writev",
    objects: "confstr_names environ environb pathconf_names supports_dir_fd supports_effective_ids supports_fd supports_follow_symlinks sysconf_names",
    renamed: {"DirEntry": "posix.DirEntry", "GenericAlias": "types.GenericAlias", "Mapping": "collections.abc.Mapping", "MutableMapping": "collections.abc.MutableMapping", "error": "builtins.OSError", "sched_param": "posix.sched_param", "times_result": "posix.times_result", "uname_result": "posix.uname_result", "waitid_result": "posix.waitid_result"},
    constants: { "CLD_CONTINUED": 6n, "CLD_DUMPED": 3n, "CLD_EXITED": 1n, "CLD_KILLED": 2n, "CLD_STOPPED": 5n, "CLD_TRAPPED": 4n, "EFD_CLOEXEC": 524288n, "EFD_NONBLOCK": 2048n, "EFD_SEMAPHORE": 1n, "EX_CANTCREAT": 73n, "EX_CONFIG": 78n, "EX_DATAERR": 65n, "EX_IOERR": 74n, "EX_NOHOST": 68n, "EX_NOINPUT": 66n, "EX_NOPERM": 77n, "EX_NOUSER": 67n, "EX_OK": 0n, "EX_OSERR": 71n, "EX_OSFILE": 72n, "EX_PROTOCOL": 76n, "EX_SOFTWARE": 70n, "EX_TEMPFAIL": 75n, "EX_UNAVAILABLE": 69n, "EX_USAGE": 64n, "F_LOCK": 1n, "F_OK": 0n, "F_TEST": 3n, "F_TLOCK": 2n, "F_ULOCK": 0n, "GRND_NONBLOCK": 1n, "GRND_RANDOM": 2n, "MFD_ALLOW_SEALING": 2n, "MFD_CLOEXEC": 1n, "MFD_HUGETLB": 4n, "MFD_HUGE_16GB": 2281701376n, "MFD_HUGE_16MB": 1610612736n, "MFD_HUGE_1GB": 2013265920n, "MFD_HUGE_1MB": 1342177280n, "MFD_HUGE_256MB": 1879048192n, "MFD_HUGE_2GB": 2080374784n, "MFD_HUGE_2MB": 1409286144n, "MFD_HUGE_32MB": 1677721600n, "MFD_HUGE_512KB": 1275068416n, "MFD_HUGE_512MB": 1946157056n, "MFD_HUGE_64KB": 1073741824n, "MFD_HUGE_8MB": 1543503872n, "MFD_HUGE_MASK": 63n, "MFD_HUGE_SHIFT": 26n, "NGROUPS_MAX": 65536n, "O_ACCMODE": 3n, "O_APPEND": 1024n, "O_ASYNC": 8192n, "O_CLOEXEC": 524288n, "O_CREAT": 64n, "O_DIRECT": 16384n, "O_DIRECTORY": 65536n, "O_DSYNC": 4096n, "O_EXCL": 128n, "O_FSYNC": 1052672n, "O_LARGEFILE": 0n, "O_NDELAY": 2048n, "O_NOATIME": 262144n, "O_NOCTTY": 256n, "O_NOFOLLOW": 131072n, "O_NONBLOCK": 2048n, "O_PATH": 2097152n, "O_RDONLY": 0n, "O_RDWR": 2n, "O_RSYNC": 1052672n, "O_SYNC": 1052672n, "O_TMPFILE": 4259840n, "O_TRUNC": 512n, "O_WRONLY": 1n, "POSIX_FADV_DONTNEED": 4n, "POSIX_FADV_NOREUSE": 5n, "POSIX_FADV_NORMAL": 0n, "POSIX_FADV_RANDOM": 1n, "POSIX_FADV_SEQUENTIAL": 2n, "POSIX_FADV_WILLNEED": 3n, "POSIX_SPAWN_CLOSE": 1n, "POSIX_SPAWN_DUP2": 2n, "POSIX_SPAWN_OPEN": 0n, "PRIO_PGRP": 1n, "PRIO_PROCESS": 0n, "PRIO_USER": 2n, "P_ALL": 0n, "P_NOWAIT": 1n, "P_NOWAITO": 1n, "P_PGID": 2n, "P_PID": 1n, "P_PIDFD": 3n, "P_WAIT": 0n, "RTLD_DEEPBIND": 8n, "RTLD_GLOBAL": 256n, "RTLD_LAZY": 1n, "RTLD_LOCAL": 0n, "RTLD_NODELETE": 4096n, "RTLD_NOLOAD": 4n, "RTLD_NOW": 2n, "RWF_APPEND": 16n, "RWF_DSYNC": 2n, "RWF_HIPRI": 1n, "RWF_NOWAIT": 8n, "RWF_SYNC": 4n, "R_OK": 4n, "SCHED_BATCH": 3n, "SCHED_FIFO": 1n, "SCHED_IDLE": 5n, "SCHED_OTHER": 0n, "SCHED_RESET_ON_FORK": 1073741824n, "SCHED_RR": 2n, "SEEK_CUR": 1n, "SEEK_DATA": 3n, "SEEK_END": 2n, "SEEK_HOLE": 4n, "SEEK_SET": 0n, "SPLICE_F_MORE": 4n, "SPLICE_F_MOVE": 1n, "SPLICE_F_NONBLOCK": 2n, "ST_APPEND": 256n, "ST_MANDLOCK": 64n, "ST_NOATIME": 1024n, "ST_NODEV": 4n, "ST_NODIRATIME": 2048n, "ST_NOEXEC": 8n, "ST_NOSUID": 2n, "ST_RDONLY": 1n, "ST_RELATIME": 4096n, "ST_SYNCHRONOUS": 16n, "ST_WRITE": 128n, "TMP_MAX": 238328n, "WCONTINUED": 8n, "WEXITED": 4n, "WNOHANG": 1n, "WNOWAIT": 16777216n, "WSTOPPED": 2n, "WUNTRACED": 2n, "W_OK": 2n, "XATTR_CREATE": 1n, "XATTR_REPLACE": 2n, "XATTR_SIZE_MAX": 65536n, "X_OK": 1n, "curdir": ".", "defpath": "/bin:/usr/bin", "devnull": "/dev/null", "extsep": ".", "linesep": "\n", "name": "posix", "pardir": "..", "pathsep": ":", "sep": "/", "supports_bytes_environ": true },
  },
  "os.path": {
    functions: "abspath basename commonpath commonprefix dirname exists expanduser expandvars getatime getctime getmtime getsize isabs isdir isfile islink ismount join lexists normcase normpath realpath relpath samefile sameopenfile samestat split splitdrive splitext",
    constants: { "curdir": ".", "defpath": "/bin:/usr/bin", "devnull": "/dev/null", "extsep": ".", "pardir": "..", "pathsep": ":", "sep": "/", "supports_unicode_filenames": false },
  },
  "math": {
    functions: "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf erfc exp exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nextafter perm pow prod radians remainder sin sinh sqrt tan tanh trunc ulp",
    constants: { "e": 2.718281828459045, "inf": Infinity, "nan": NaN, "pi": 3.141592653589793, "tau": 6.283185307179586 },
  },
  "string": {
    classes: "Formatter Template",
    functions: "capwords",
    constants: { "ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ascii_lowercase": "abcdefghijklmnopqrstuvwxyz", "ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digits": "0123456789", "hexdigits": "0123456789abcdefABCDEF", "octdigits": "01234567", "printable": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\u000b\f", "punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "whitespace": " \t\n\r\u000b\f" },
  },
  "numbers": {
    classes: "Complex Integral Number Rational Real",
    functions: "abstractmethod",
    renamed: {"ABCMeta": "abc.ABCMeta"},
  },
  "types": {
    classes: "DynamicClassAttribute GenericAlias SimpleNamespace UnionType",
    functions: "coroutine new_class prepare_class resolve_bases",
    renamed: {"AsyncGeneratorType": "builtins.async_generator", "BuiltinFunctionType": "builtins.builtin_function_or_method", "BuiltinMethodType": "builtins.builtin_function_or_method", "CellType": "builtins.cell", "ClassMethodDescriptorType": "builtins.classmethod_descriptor", "CodeType": "builtins.code", "CoroutineType": "builtins.coroutine", "EllipsisType": "builtins.ellipsis", "FrameType": "builtins.frame", "FunctionType": "builtins.function", "GeneratorType": "builtins.generator", "GetSetDescriptorType": "builtins.getset_descriptor", "LambdaType": "builtins.function", "MappingProxyType": "builtins.mappingproxy", "MemberDescriptorType": "builtins.member_descriptor", "MethodDescriptorType": "builtins.method_descriptor", "MethodType": "builtins.method", "MethodWrapperType": "builtins.method-wrapper", "ModuleType": "builtins.module", "NoneType": "builtins.NoneType", "NotImplementedType": "builtins.NotImplementedType", "TracebackType": "builtins.traceback", "WrapperDescriptorType": "builtins.wrapper_descriptor"},
  },
  "abc": {
    classes: "ABC ABCMeta abstractclassmethod abstractproperty abstractstaticmethod",
    functions: "abstractmethod get_cache_token update_abstractmethods",
  },
  "enum": {
    classes: "Enum EnumCheck EnumType Flag FlagBoundary IntEnum IntFlag ReprEnum StrEnum auto member nonmember property verify",
    functions: "bin global_enum global_enum_repr global_flag_repr global_str pickle_by_enum_name pickle_by_global_name reduce show_flag_values unique",
    objects: "CONFORM CONTINUOUS EJECT KEEP NAMED_FLAGS STRICT UNIQUE",
    renamed: {"DynamicClassAttribute": "types.DynamicClassAttribute", "EnumMeta": "enum.EnumType", "MappingProxyType": "builtins.mappingproxy"},
  },
  "dataclasses": {
    classes: "Field FrozenInstanceError InitVar",
    functions: "asdict astuple dataclass field fields is_dataclass make_dataclass replace",
    objects: "KW_ONLY MISSING",
    renamed: {"FunctionType": "builtins.function", "GenericAlias": "types.GenericAlias"},
  },
  "zoneinfo": {
    classes: "ZoneInfo",
    functions: "available_timezones reset_tzpath",
    renamed: {"InvalidTZPathWarning": "zoneinfo._tzpath.InvalidTZPathWarning", "ZoneInfoNotFoundError": "zoneinfo._common.ZoneInfoNotFoundError"},
  },
};
