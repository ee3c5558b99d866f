using System.Buffers.Binary;
using System.Text;

namespace FaceDistill.Export;

/// <summary>
/// Makes ONNX Runtime's files (.ort, a flatbuffer) the same bytes for the same graph. The runtime writes the table of its operators' types in the order of a
/// hash table whose seed is new in each process; here it is written again, sorted. The rest of the file is in the order of the graph.
/// </summary>
/// <remarks>
/// The schema is onnxruntime/core/flatbuffers/schema/ort.fbs. A flatbuffer is built from its end: the root and that table are built last and stand before
/// all else, and nothing after them refers to them, so that they can be replaced. What follows stays as far from the end as it was, which keeps its alignment.
/// </remarks>
internal static class OrtFile
{
    private const int Version = 0, Model = 1, Types = 3; // of InferenceSession; 0 and 1 of the tables below it
    private const int Alignment = 16;
    private static readonly byte[] Identifier = "ORTM"u8.ToArray();

    /// <summary>Writes a file again, in place.</summary>
    /// <exception cref="FaceDistillException">It is not as this version of ONNX Runtime writes it.</exception>
    public static void Settle(string path)
    {
        byte[] settled;
        try
        {
            settled = Settled(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or InvalidDataException)
        {
            throw new FaceDistillException($"{path}: ONNX Runtime writes .ort files in a way that this version does not know ({e.Message})", e);
        }

        using var stream = new FileStream(path, FileMode.Create);
        stream.Write(settled);
        stream.Flush(flushToDisk: true); // before it is renamed into place
    }

    internal static byte[] Settled(byte[] file)
    {
        if (!file.AsSpan(4, 4).SequenceEqual(Identifier))
        {
            throw new InvalidDataException("no ORTM in its head");
        }

        var old = new Reader(file);
        int root = old.Int(0), model = old.Target(old.Field(root, Model)), version = old.Target(old.Field(root, Version));
        int cut = Math.Min(model, model - old.Int(model)); // a table or its description, whichever comes first
        var head = new Writer();
        int session = head.Begin(Identifier);
        head.Link(session + Writer.FirstField, head.Types(TypesOf(old, old.Target(old.Field(root, Types)))));
        head.Pad(Alignment, file.Length - cut);
        head.Link(session + Writer.FirstField + 4, head.Length + model - cut);
        head.Link(session + Writer.FirstField + 8, head.Length + version - cut);
        return [.. head.Bytes, .. file.AsSpan(cut)];
    }

    private static SortedDictionary<string, SortedDictionary<string, List<(byte Kind, int Index)>>> TypesOf(Reader old, int table)
    {
        var types = new SortedDictionary<string, SortedDictionary<string, List<(byte, int)>>>(StringComparer.Ordinal);
        foreach (int entry in old.Tables(old.Field(table, 0)))
        {
            var names = new SortedDictionary<string, List<(byte, int)>>(StringComparer.Ordinal);
            foreach (int name in old.Tables(old.Field(entry, 1)))
            {
                names.Add(old.Text(old.Field(name, 0)),
                    [.. old.Tables(old.Field(name, 1)).Select(a => (old.Byte(old.Field(a, 0)), old.Value(old.Field(a, 1))))]);
            }

            types.Add(old.Text(old.Field(entry, 0)), names);
        }

        return types;
    }

    /// <summary>Reads tables. A place of 0 is a field that is left out: its value is 0, its list empty.</summary>
    private sealed class Reader(byte[] file)
    {
        public int Int(int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));

        public int Target(int at) => at == 0 ? throw new InvalidDataException("a part is missing") : at + Int(at);

        public byte Byte(int at) => at == 0 ? (byte)0 : file[at];

        public int Value(int at) => at == 0 ? 0 : Int(at);

        public int Field(int table, int number)
        {
            int description = table - Int(table), entry = 4 + (2 * number);
            int offset = entry < Short(description) ? Short(description + entry) : 0;
            return offset == 0 ? 0 : table + offset;
        }

        public string Text(int at) => Target(at) is var text ? Encoding.UTF8.GetString(file.AsSpan(text + 4, Int(text))) : "";

        public IEnumerable<int> Tables(int at) =>
            at == 0 ? [] : Enumerable.Range(0, Int(Target(at))).Select(i => Target(Target(at) + 4 + (4 * i)));

        private int Short(int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));
    }

    /// <summary>Writes tables from the front; what a table refers to comes after it.</summary>
    private sealed class Writer
    {
        public const int FirstField = 4;
        private readonly List<byte> _bytes = [];
        private int _one, _two, _argument; // where the tables of one and of two references and those of arguments are described

        public IReadOnlyList<byte> Bytes => _bytes;

        public int Length => _bytes.Count;

        /// <summary>The head, the descriptions and the root, with places for its three references; returns the root.</summary>
        public int Begin(byte[] identifier)
        {
            Int(0);
            _bytes.AddRange(identifier);
            int session = Shorts(12, 16, 12, 8, 0, 4); // version, model, an older part, types
            _one = Shorts(6, 8, 4, 0);
            _two = Shorts(8, 12, 4, 8);
            _argument = Shorts(8, 12, 8, 4); // kind: a byte, index
            int root = Table(session, 3);
            Link(0, root);
            return root;
        }

        public int Types(SortedDictionary<string, SortedDictionary<string, List<(byte Kind, int Index)>>> types)
        {
            int table = Table(_one, 1);
            List(table + FirstField, types, type =>
            {
                int entry = Table(_two, 2);
                Text(entry + FirstField, type.Key);
                List(entry + FirstField + 4, type.Value, name =>
                {
                    int arguments = Table(_two, 2);
                    Text(arguments + FirstField, name.Key);
                    List(arguments + FirstField + 4, name.Value, argument =>
                    {
                        int place = Table(_argument, 0);
                        Int(argument.Index);
                        Int(argument.Kind);
                        return place;
                    });
                    return arguments;
                });
                return entry;
            });
            return table;
        }

        public void Link(int at, int target) =>
            BinaryPrimitives.WriteInt32LittleEndian(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes)[at..], target - at);

        public void Pad(int alignment, int after)
        {
            while ((Length + after) % alignment != 0)
            {
                _bytes.Add(0);
            }
        }

        private int Table(int description, int references)
        {
            int at = Length;
            Int(at - description);
            _bytes.AddRange(new byte[4 * references]);
            return at;
        }

        private void List<T>(int reference, ICollection<T> items, Func<T, int> write)
        {
            int at = Length;
            Link(reference, at);
            Int(items.Count);
            _bytes.AddRange(new byte[4 * items.Count]);
            foreach (var (i, item) in items.Index())
            {
                Link(at + 4 + (4 * i), write(item));
            }
        }

        private void Text(int reference, string text)
        {
            Link(reference, Length);
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Int(bytes.Length);
            _bytes.AddRange([.. bytes, 0]);
            Pad(4, 0);
        }

        private void Int(int value)
        {
            _bytes.AddRange(new byte[4]);
            BinaryPrimitives.WriteInt32LittleEndian(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes)[^4..], value);
        }

        private int Shorts(params ushort[] values)
        {
            int at = Length;
            _bytes.AddRange(values.SelectMany(BitConverter.GetBytes));
            return at;
        }
    }
}
