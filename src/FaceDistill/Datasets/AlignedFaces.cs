using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Datasets;

/// <summary>A data set of aligned faces together with how they were aligned.</summary>
/// <param name="Dataset">The pictures.</param>
/// <param name="Manifest">Their alignment.</param>
public sealed record AlignedFaces(FaceDataset Dataset, AlignmentManifest Manifest)
{
    /// <summary>Opens a finished folder of aligned faces.</summary>
    /// <exception cref="FaceDistillException">The folder holds raw photos, is unfinished, or has no picture.</exception>
    public static AlignedFaces Open(string folder)
    {
        if (Directory.Exists(folder) && !AlignmentManifest.In(folder))
        {
            throw new FaceDistillException(
                $"{folder} holds raw photos (no {AlignmentManifest.FileName}); align them with 'facedistill align --data {folder} --output DIR --template NAME'");
        }

        return Opened(FaceDataset.List(folder), AlignmentManifest.Read(folder));
    }

    /// <summary>Opens a folder that its owner says is aligned: the template's square fills each picture.</summary>
    /// <param name="folder">Pictures that all have the same size.</param>
    /// <param name="template">The template's name.</param>
    /// <exception cref="FaceDistillException">The folder has no readable square picture.</exception>
    public static AlignedFaces OpenAsserted(string folder, string template)
    {
        var dataset = FaceDataset.List(folder);
        if (dataset.Images.Count == 0)
        {
            throw new FaceDistillException($"{folder} has no picture");
        }

        using var first = PictureFile.Read(dataset.FullPath(dataset.Images[0]));
        return first.Width == first.Height
            ? Opened(dataset, new AlignmentManifest(1, AlignmentTemplate.Named(template).Name, first.Width, 0, "user", "", true))
            : throw new FaceDistillException($"{dataset.FullPath(dataset.Images[0])} is {first.Width}x{first.Height}; aligned faces are square");
    }

    /// <summary>Reads one face and brings the template's square to a model's size.</summary>
    /// <param name="index">The picture's place in the list.</param>
    /// <param name="size">The wanted side, pixels.</param>
    /// <returns>BGR 8-bit, size x size; the caller disposes it.</returns>
    /// <exception cref="FaceDistillException">The picture is damaged or not of the manifest's size.</exception>
    public Mat ReadView(int index, int size)
    {
        string path = Dataset.FullPath(Dataset.Images[index]);
        using var picture = PictureFile.Read(path);
        var frame = Manifest.Frame;
        return picture.Width == frame.Side && picture.Height == frame.Side
            ? frame.View(picture, size)
            : throw new FaceDistillException(
                $"{path} is {picture.Width}x{picture.Height} where {AlignmentManifest.FileName} says {frame.Side}x{frame.Side}; align the photos again");
    }

    /// <summary>Checks that the faces are aligned as a model wants them.</summary>
    /// <exception cref="FaceDistillException">They are aligned to another template; the message names both and the remedy.</exception>
    public void Require(string template, string model)
    {
        if (Manifest.Template != template)
        {
            throw new FaceDistillException(
                $"{Dataset.Root} is aligned to '{Manifest.Template}' but {model} wants '{template}'; give the raw photos, or align them with --template {template}");
        }
    }

    private static AlignedFaces Opened(FaceDataset dataset, AlignmentManifest manifest) => dataset.Images.Count > 0
        ? new AlignedFaces(dataset, manifest)
        : throw new FaceDistillException($"{dataset.Root} has no aligned face");
}
