using FaceDistill.Formats;
using Google.Protobuf;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Moves the weights of an ONNX file into one beside it, as exporters write large models.</summary>
internal static class ExternalWeights
{
    private const int Graph = 7, Initializer = 5, RawData = 9;

    /// <summary>Moves them.</summary>
    /// <param name="path">The .onnx file, which is written anew.</param>
    /// <param name="location">The file that the graph then names.</param>
    /// <returns>The path of the file of weights: <paramref name="path"/>.data where the location leads elsewhere.</returns>
    public static string Move(string path, string? location = null)
    {
        var data = new MemoryStream();
        File.WriteAllBytes(path, Rewritten(File.ReadAllBytes(path), (field, bytes) => field != Graph ? null : Message(Graph, Rewritten(bytes, (part, tensor) =>
            part != Initializer ? null : Message(Initializer, Rewritten(tensor, (member, raw) => member != RawData ? null : output =>
            {
                foreach (var (key, value) in new[]
                {
                    ("location", location ?? Path.GetFileName(path) + ".data"), ("offset", $"{data.Length}"), ("length", $"{raw.Length}"),
                })
                {
                    output.Message(13, entry =>
                    {
                        entry.Text(1, key);
                        entry.Text(2, value);
                    });
                }

                output.Int(14, 1);
                data.Write(raw);
            }))))));
        File.WriteAllBytes(path + ".data", data.ToArray());
        return path + ".data";
    }

    private static Action<CodedOutputStream> Message(int field, byte[] bytes) => output => output.Bytes(field, bytes);

    private static byte[] Rewritten(byte[] message, Func<int, byte[], Action<CodedOutputStream>?> change)
    {
        var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            var input = new CodedInputStream(message);
            for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                int field = WireFormat.GetTagFieldNumber(tag);
                if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.Varint)
                {
                    output.Int(field, input.ReadInt64());
                    continue;
                }

                byte[] bytes = input.ReadBytes().ToByteArray(); // graphs of the tests have no other fields there
                (change(field, bytes) ?? Message(field, bytes))(output);
            }
        }

        return stream.ToArray();
    }
}
