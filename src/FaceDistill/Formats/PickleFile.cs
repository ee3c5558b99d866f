using System.Buffers.Binary;
using System.Collections;
using System.Globalization;
using System.Text;
using FaceDistill.Files;
using Razorvine.Pickle;

namespace FaceDistill.Formats;

/// <summary>
/// Python's pickle, protocols 0 to 5 (Python 2 and 3), of plain data alone: lists, tuples, bytes, text, whole numbers, flags, and NumPy arrays of numbers.
/// </summary>
/// <remarks>
/// A pickle is a program for a stack machine, which may call anything that it can name. Here it is looked through before it is run: every opcode is one that
/// plain data need, every length lies within the file, and every name (a global) is one of <see cref="Known"/>; each of these stands for a value here and
/// calls nothing. What the file holds is then read by Razorvine.Pickle.
/// </remarks>
internal static class PickleFile
{
    private const int MostNumberDigits = 64;

    // How an opcode's argument is read (pickletools.py): fixed bytes, a length of so many bytes and that much, or lines of text.
    private static readonly Dictionary<byte, (int Fixed, int Counted, int Lines)> Opcodes = All(
        ("(.012)]aeltbRN\u0085\u0086\u0087\u0088\u0089\u0094\u0093\u0098", (0, 0, 0)), ("Khq\u0080", (1, 0, 0)), ("M", (2, 0, 0)), ("Jjr", (4, 0, 0)),
        ("\u0095", (8, 0, 0)), ("UC\u008c\u008a", (0, 1, 0)), ("TBX\u008b", (0, 4, 0)), ("\u008e\u008d\u0096", (0, 8, 0)), ("ILgpSV", (0, 0, 1)),
        ("c", (0, 0, 2)));

    /// <summary>The names that may stand in the file, with what makes their value.</summary>
    private static readonly Dictionary<string, IObjectConstructor?> Known = new(StringComparer.Ordinal)
    {
        ["_codecs.encode"] = null, ["__builtin__.bytearray"] = null, ["builtins.bytearray"] = null, ["__builtin__.bytes"] = null, // the library's own
        ["builtins.bytes"] = new Razorvine.Pickle.Objects.ByteArrayConstructor(),
        ["numpy.ndarray"] = new Made(_ => new PickledArray()),
        ["numpy.dtype"] = new Made(args => new PickledType { Name = Text(args[0]) }),
        ["numpy.core.multiarray._reconstruct"] = new Made(_ => new PickledArray()),
        ["numpy._core.multiarray._reconstruct"] = new Made(_ => new PickledArray()),
        ["numpy.core.multiarray.scalar"] = new Made(PickledArray.Scalar),
        ["numpy._core.multiarray.scalar"] = new Made(PickledArray.Scalar),
        ["numpy.core.numeric._frombuffer"] = new Made(PickledArray.FromBuffer),
        ["numpy._core.numeric._frombuffer"] = new Made(PickledArray.FromBuffer),
    };

    /// <summary>Reads a file.</summary>
    /// <returns>Lists are <see cref="ArrayList"/>, tuples object[], bytes byte[], text (and Python 2's strings, a character a byte) string, arrays
    /// <see cref="PickledArray"/>.</returns>
    /// <exception cref="FaceDistillException">It cannot be read, is no whole pickle, or holds more than plain data; the message names file and
    /// place.</exception>
    public static object? Read(string file)
    {
        byte[] bytes;
        try
        {
            long length = new FileInfo(file).Length;
            bytes = length is > 0 and <= int.MaxValue / 2 ? FileBytes.Read(file)
                : throw new FaceDistillException($"{file} is {(length == 0 ? "empty" : "larger than a verification set is (1 GB)")}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {file}: {e.Message}", e);
        }

        new Look(file, bytes).Through();
        try
        {
            using var unpickler = new PlainUnpickler();
            return unpickler.Plain(bytes);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The library lets whatever a strange stack leads to escape: casts, indices, formats.
            var own = e; // what is not ours has the library's words
            while (own is not (null or FaceDistillException))
            {
                own = own.InnerException;
            }

            throw new FaceDistillException($"{file} is a damaged pickle ({own?.Message ?? "its parts do not fit each other"})", e);
        }
    }

    private static Dictionary<byte, (int Fixed, int Counted, int Lines)> All(params (string Codes, (int, int, int) Argument)[] kinds) =>
        kinds.SelectMany(kind => kind.Codes.Select(code => ((byte)code, kind.Argument))).ToDictionary(k => k.Item1, k => k.Argument);

    private static string Text(object value) => value as string ?? Encoding.Latin1.GetString((byte[])value);

    /// <summary>Goes through the opcodes without running them.</summary>
    private sealed class Look(string file, byte[] bytes)
    {
        private readonly Dictionary<long, string?> _memo = [];
        private string? _before, _last; // the texts that were put on the stack last, of which STACK_GLOBAL makes a name

        public void Through()
        {
            for (int at = 0; at < bytes.Length;)
            {
                int begin = at;
                byte opcode = bytes[at++];
                if (!Opcodes.TryGetValue(opcode, out var kind))
                {
                    throw Error(begin, InvariantText.Of($"'{(opcode is > 32 and < 127 ? (char)opcode : '?')}' (0x{opcode:x2}) is no opcode of plain data"));
                }

                long length = kind.Fixed;
                if (kind.Counted > 0)
                {
                    Need(begin, at, kind.Counted);
                    length = kind.Counted == 1 ? bytes[at] : kind.Counted == 4 ? BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at))
                        : BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
                    at += kind.Counted;
                }

                for (int line = 0; line < kind.Lines; line++)
                {
                    int end = bytes.AsSpan(at + (int)length).IndexOf((byte)'\n');
                    length += end >= 0 ? end + 1 : throw Error(begin, "the file ends within it");
                }

                Need(begin, at, length);
                Argument((char)opcode, bytes.AsSpan(at, (int)length), begin);
                at += (int)length;
                if (opcode == '.')
                {
                    _ = at == bytes.Length ? 0 : throw Error(at, InvariantText.Of($"{bytes.Length - at} bytes follow the pickle's end"));
                    return;
                }
            }

            throw Error(bytes.Length, "the file ends within the pickle");
        }

        private void Argument(char opcode, ReadOnlySpan<byte> argument, int begin)
        {
            switch (opcode)
            {
                case '\u0095' when BinaryPrimitives.ReadUInt64LittleEndian(argument) > (ulong)(bytes.Length - begin - 9):
                    throw Error(begin, "a frame that is longer than the file");
                case '\u0080' when argument[0] > 5:
                    throw Error(begin, InvariantText.Of($"protocol {argument[0]}, where 0 to 5 are known"));
                case '\u0080' or '\u0095':
                    break;
                case 'I' or 'L' or 'g' or 'p' when argument.Length > MostNumberDigits:
                    throw Error(begin, "a number that is too long");
                case 'c':
                    Allow(Encoding.UTF8.GetString(argument).Split('\n') is [var module, var name, ..] ? $"{module}.{name}" : "", begin);
                    Push(null);
                    break;
                case '\u0093':
                    Allow(_before is null || _last is null ? "a name that is made up" : $"{_before}.{_last}", begin);
                    Push(null);
                    break;
                case '\u008c' or 'X' or '\u008d' when argument.Length < 256:
                    Push(Encoding.UTF8.GetString(argument));
                    break;
                case '\u0094':
                    _memo[_memo.Count] = _last;
                    break;
                case 'q' or 'r' or 'p':
                    _memo[Number(opcode, argument)] = _last;
                    break;
                case 'h' or 'j' or 'g':
                    Push(_memo.GetValueOrDefault(Number(opcode, argument)));
                    break;
                default:
                    Push(null);
                    break;
            }
        }

        private static long Number(char opcode, ReadOnlySpan<byte> argument) => opcode switch
        {
            'q' or 'h' => argument[0],
            'r' or 'j' => BinaryPrimitives.ReadInt32LittleEndian(argument),
            _ => InvariantNumber.Count(Encoding.Latin1.GetString(argument).Trim(), out long number) ? number : -1,
        };

        private void Push(string? text) => (_before, _last) = (_last, text);

        private void Allow(string name, int begin) =>
            _ = Known.ContainsKey(name) ? 0 : throw Error(begin, $"it names {name}, which plain data do not need; nothing of the file was run");

        private void Need(int begin, int at, long length) => _ = length >= 0 && length <= bytes.Length - at ? 0
            : throw Error(begin, InvariantText.Of($"{length} bytes are claimed, where the file has {bytes.Length - at} more"));

        private FaceDistillException Error(int at, string what) => new(InvariantText.Of($"{file}: byte {at}: {what}"));
    }

    /// <summary>The library's table of names is the process's: it is ours while a file is read, and then as it was.</summary>
    private sealed class PlainUnpickler : Unpickler
    {
        public object? Plain(byte[] bytes)
        {
            lock (Known)
            {
                var ours = Known.Where(entry => entry.Value is not null).ToList();
                var before = ours.Select(entry => objectConstructors.TryGetValue(entry.Key, out var made) ? made : null).ToList();
                try
                {
                    ours.ForEach(entry => objectConstructors[entry.Key] = entry.Value!);
                    return loads(bytes);
                }
                finally
                {
                    for (int i = 0; i < ours.Count; i++)
                    {
                        objectConstructors.Remove(ours[i].Key);
                        if (before[i] is { } made)
                        {
                            objectConstructors[ours[i].Key] = made;
                        }
                    }
                }
            }
        }
    }

    private sealed class Made(Func<object[], object> make) : IObjectConstructor
    {
        public object construct(object[] args) => make(args);
    }
}

/// <summary>The type of a NumPy array's values, as a pickle has it.</summary>
internal sealed class PickledType
{
    /// <summary>Kind and bytes: u1, b1, i8, O8.</summary>
    public required string Name { get; init; }

    /// <summary>"&lt;" for the least byte first, "&gt;" for the greatest.</summary>
    public string Order { get; private set; } = "|";

#pragma warning disable CA1707 // the library calls what Python calls
    /// <summary>Sets version, byte order and what records need.</summary>
    public void __setstate__(object[] state) => Order = state is [_, string order, ..] ? order : Order;
#pragma warning restore CA1707
}

/// <summary>A NumPy array, as a pickle has it.</summary>
internal sealed class PickledArray
{
    private PickledType? _type;
    private object? _data;
    private int[] _shape = [];

#pragma warning disable CA1707 // the library calls what Python calls
    /// <summary>Sets version, shape, type, whether columns come first, and the values' bytes.</summary>
    public void __setstate__(object[] state) =>
        (_shape, _type, _data) = ([.. ((object[])state[1]).Select(n => Convert.ToInt32(n, CultureInfo.InvariantCulture))], (PickledType)state[2], state[4]);
#pragma warning restore CA1707

    /// <summary>The bytes of an array uint8 of one dimension.</summary>
    /// <param name="what">Whose it is.</param>
    /// <exception cref="FaceDistillException">It is another array.</exception>
    public byte[] Bytes(string what) => _type?.Name == "u1" && _shape.Length == 1 && Raw() is { } bytes && bytes.Length == _shape[0] ? bytes
        : throw new FaceDistillException($"{what} is a NumPy array of {_type?.Name ?? "nothing"} [{string.Join(", ", _shape)}], where the uint8 (u1) of a "
            + "picture file are expected" + (_type?.Name.StartsWith('O') == true ? ": objects are not read" : ""));

    /// <summary>The values of an array of flags or whole numbers; null for any other.</summary>
    public IList? Numbers()
    {
        int size = _type?.Name switch { "b1" or "u1" or "i1" => 1, "i4" => 4, "i8" => 8, _ => 0 };
        if (size == 0 || _shape.Length > 1 || Raw() is not { } bytes || bytes.Length != size * (_shape.Length == 0 ? 1L : _shape[0]))
        {
            return null;
        }

        bool great = _type!.Order == ">";
        var numbers = new List<long>();
        for (int i = 0; i < bytes.Length; i += size)
        {
            var value = bytes.AsSpan(i, size);
            numbers.Add(size == 1 ? value[0]
                : size == 4 ? great ? BinaryPrimitives.ReadInt32BigEndian(value) : BinaryPrimitives.ReadInt32LittleEndian(value)
                : great ? BinaryPrimitives.ReadInt64BigEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value));
        }

        return numbers;
    }

    /// <summary>A single value: type and bytes.</summary>
    public static object Scalar(object[] args) => new PickledArray { _type = (PickledType)args[0], _data = args[1] }.Numbers() is [var only] ? only!
        : throw new FaceDistillException($"a NumPy number of type {((PickledType)args[0]).Name}, where a flag is expected");

    /// <summary>An array of protocol 5: bytes, type, shape and order.</summary>
    public static object FromBuffer(object[] args)
    {
        var array = new PickledArray();
        array.__setstate__([1, args[2], args[1], false, args[0]]);
        return array;
    }

    private byte[]? Raw() => _data switch
    {
        byte[] bytes => bytes,
        string text when text.All(c => c <= 0xff) => Encoding.Latin1.GetBytes(text), // of Python 2
        _ => null,
    };
}
