using FaceDistill.Views;

namespace FaceDistill.Cli.Commands;

/// <summary>The augmentations that have a name; a recipe gives each value.</summary>
internal enum AugmentKind
{
    /// <summary>The aligned face.</summary>
    None,

    /// <summary>The defaults of <see cref="AugmentOptions"/>.</summary>
    Mild,

    /// <summary><see cref="AugmentOptions.Strong"/>.</summary>
    Strong,
}
