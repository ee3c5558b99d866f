using System.Globalization;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Students;

namespace FaceDistill.Export.Graphs;

/// <summary>What every exported file says about itself, as text by key: in ONNX's metadata_props, in the header of safetensors.</summary>
public static class StudentMetadata
{
    /// <summary>Writes the student's metadata, and what its file takes and gives.</summary>
    /// <param name="metadata">Receives them.</param>
    /// <param name="student">The student.</param>
    /// <param name="ends">What the file does besides.</param>
    public static void Write(IDictionary<string, string> metadata, StudentDescription student, GraphPrePostprocessing ends)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(ends);
        var contract = ends.Contract(student.Contract);
        string List(float[] values) => string.Join(", ", values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
        metadata[ExportedModel.ContractKey] = JsonFile.Serialize(contract);
        metadata[ExportedModel.StudentKey] = student.Student;
        metadata["input_type"] = ends.Preprocess ? "uint8" : "float32";
        metadata["input_size"] = contract.Size.ToString(CultureInfo.InvariantCulture);
        metadata["color_order"] = contract.ColorOrder.ToString().ToUpperInvariant();
        metadata["layout"] = contract.Layout.ToString().ToUpperInvariant();
        metadata["mean"] = List(contract.Mean);
        metadata["std"] = List(contract.Std);
        metadata["alignment_template"] = contract.Template;
        metadata["output_length"] = ends.Normalize ? "one" : "as the teacher's";
        metadata["teacher"] = student.Teacher;
        metadata["teacher_sha256"] = student.TeacherHash;
        metadata["started_from"] = student.Origins is { } origins ? StudentOrigin.Short(origins) : "not noted";
        metadata[ExportedModel.HeadKey] = student.Head.ToString();
        metadata[ExportedModel.DimensionKey] = student.Dimension.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The layers of the student in an exported file; null where the metadata do not tell them.</summary>
    /// <exception cref="FaceDistillException">The student's name is malformed.</exception>
    public static MobileNetV1Architecture? Architecture(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.TryGetValue(ExportedModel.StudentKey, out string? student)
            && Enum.TryParse(metadata.GetValueOrDefault(ExportedModel.HeadKey), out HeadKind head) && Enum.IsDefined(head)
            && int.TryParse(metadata.GetValueOrDefault(ExportedModel.DimensionKey), CultureInfo.InvariantCulture, out int dimension) && dimension > 0
            ? new MobileNetV1Architecture(StudentSpec.Parse(student), head, dimension) : null;
    }
}
